// Says whether a file is one that the platform made of this document. The file is read here and goes nowhere: the page's
// policy lets the script load and send nothing.
"use strict";

(() => {
  const check = document.getElementById("check");
  if (!check || !window.crypto || !window.crypto.subtle) return;
  check.hidden = false;
  document.getElementById("by-hand").hidden = true;

  const input = document.getElementById("file");
  const area = document.getElementById("drop");
  const name = document.getElementById("name");
  const sum = document.getElementById("sum");
  const known = new Set([...document.querySelectorAll("code[data-sha256]")].map((code) => code.dataset.sha256));
  const frozen = document.getElementById("frozen").dataset.sha256;
  // Only the newest choice is answered.
  let turn = 0;

  const say = (answer, digest) => {
    for (const text of check.querySelectorAll("[data-answer]")) text.hidden = text.dataset.answer !== answer;
    sum.hidden = !digest;
    sum.querySelector("code").textContent = digest;
  };

  const look = async (file) => {
    if (!file) return;
    const own = ++turn;
    name.textContent = file.name;
    name.hidden = false;
    say("working", "");
    let answer = "failed";
    let digest = "";
    try {
      const bytes = new Uint8Array(await window.crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      digest = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      answer = digest === frozen ? "content" : known.has(digest) ? "matches" : "differs";
    } catch {
      // The file has gone, or is a folder.
    }
    if (own === turn) say(answer, digest);
  };

  input.addEventListener("change", () => {
    look(input.files[0]);
    // The same file chosen again is looked at again.
    input.value = "";
  });
  // A file that misses the field must not replace the page.
  for (const event of ["dragenter", "dragover", "drop"]) {
    document.addEventListener(event, (drag) => drag.preventDefault());
  }
  document.addEventListener("dragover", () => area.classList.add("over"));
  document.addEventListener("dragleave", () => area.classList.remove("over"));
  document.addEventListener("drop", (drag) => {
    area.classList.remove("over");
    look(drag.dataTransfer.files[0]);
  });
})();
