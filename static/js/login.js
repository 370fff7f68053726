// Show or hide what is typed.

const field = document.getElementById("token");
const button = document.getElementById("show");
button.addEventListener("click", () => {
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  button.textContent = shown ? "Show" : "Hide";
  field.focus();
});
