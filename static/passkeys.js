// Shows what needs a passkey where the browser knows them, and says it when one was not used.
for (const part of document.querySelectorAll("[data-passkey]")) {
  part.hidden = !window.PublicKeyCredential;
}
for (const part of document.querySelectorAll("[data-passkey-unknown]")) {
  part.hidden = Boolean(window.PublicKeyCredential);
}
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  for (const part of document.querySelectorAll("[data-passkey-failed]")) {
    part.hidden = false;
  }
});
