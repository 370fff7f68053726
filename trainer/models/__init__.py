"""Networks: a file each, with its catalogue entry `MODEL`. No torch before a net is built."""
