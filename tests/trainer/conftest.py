from trainer import compiler

compiler.put_off()  # before torchvision is imported: 1.5 s for each process of the tests
