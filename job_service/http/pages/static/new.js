// The form of a job: only the fields and the projects of the picked cluster are seen.  The form does without it.
(function () {
  "use strict";
  const site = document.querySelector("#new-job #site");
  const project = document.getElementById("project");
  const told = JSON.parse(document.getElementById("job-fields").textContent);
  const wrappers = Array.from(document.querySelectorAll("#launch-options [data-field]"));

  function option(value, text) {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    return made;
  }

  function fill(list, field) {
    const value = list.value;
    list.replaceChildren(option("", field.default), ...field.options.map(([each, text]) => option(each, text)));
    list.value = field.options.some(([each]) => each === value) ? value : "";
  }

  function bound(input, field) {
    input.placeholder = field.default;
    if (input.type !== "number") return;
    input.min = field.least;
    input.max = field.most;
  }

  function show(wrapper, field) {
    const control = wrapper.querySelector("[name]");
    wrapper.hidden = control.disabled = !field;
    if (!field) return;
    if (control.tagName === "SELECT") {
      if (field.options) fill(control, field);
    } else {
      bound(control, field);
    }
    document.getElementById(`${field.name}-hint`).textContent = field.hint;
  }

  function fit() {
    const here = new Map((told.sites[site.value] || []).map((at) => [told.fields[at].name, told.fields[at]]));
    // What is wrong with a field stays where it is read.
    for (const each of wrappers) {
      const field = here.get(each.dataset.field);
      if (field || !each.querySelector("[aria-invalid]")) show(each, field);
    }
    for (const group of project.querySelectorAll("optgroup")) {
      group.hidden = group.disabled = group.dataset.site !== site.value;
    }
    if (project.selectedOptions[0]?.parentElement.disabled) project.value = "";
  }

  if (site) {
    site.addEventListener("change", fit);
    fit();
  }
})();
