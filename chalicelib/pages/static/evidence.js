// Says what is wrong with a file before it is sent, and that it is being sent. Without this the page works, too.
(function () {
  "use strict";
  var form = document.querySelector(".add-file");
  if (!form) return;
  var input = form.querySelector("#file"), said = form.querySelector("#sending"), words = said.dataset;
  form.noValidate = true; // we say it ourselves

  function problem(file) {
    if (!file) return words.none;
    if (file.size === 0) return words.empty;
    return file.size > Number(form.dataset.largest) ? words.large : "";
  }

  function summary(message) {
    var box = document.createElement("div");
    box.className = "govuk-error-summary";
    box.tabIndex = -1;
    box.innerHTML = '<div role="alert"><h2 class="govuk-error-summary__title"></h2><div class="govuk-error-summary__body">' +
      '<ul class="govuk-list govuk-error-summary__list"><li><a href="#file"></a></li></ul></div></div>';
    box.querySelector("h2").textContent = words.title;
    box.querySelector("a").textContent = message;
    return box;
  }

  function show(message) {
    document.querySelectorAll(".govuk-error-summary, .govuk-notification-banner").forEach(function (box) { box.remove(); });
    var group = input.closest(".govuk-form-group"), beside = document.getElementById("file-error");
    if (!beside) {
      beside = document.createElement("p");
      beside.id = "file-error";
      beside.className = "govuk-error-message";
      group.insertBefore(beside, input);
    }
    beside.textContent = message;
    var prefix = document.createElement("span");
    prefix.className = "govuk-visually-hidden";
    prefix.textContent = words.prefix + " ";
    beside.insertBefore(prefix, beside.firstChild);
    group.classList.add("govuk-form-group--error");
    input.setAttribute("aria-describedby", "file-hint file-error");
    var box = summary(message), main = document.querySelector("main h1");
    main.parentNode.insertBefore(box, main.parentNode.firstChild);
    if (document.title.indexOf("Error: ") !== 0) document.title = "Error: " + document.title;
    box.focus();
  }

  var sending = false;
  form.addEventListener("submit", function (event) {
    var wrong = problem(input.files[0]);
    if (wrong || sending) event.preventDefault(); // a second press sends nothing twice
    if (wrong) show(wrong);
    else {
      sending = true;
      said.textContent = words.sending;
    }
  });
  // "Back" to a page that was kept: its form is for the file that was sent by it, and another would not count.
  window.addEventListener("pageshow", function (event) { if (event.persisted) location.reload(); });
})();
