/* Everything works without this file; it saves keystrokes and mishaps. ES5 only. */
(function () {
  "use strict";
  var doc = document;
  function all(selector, root) { return Array.prototype.slice.call((root || doc).querySelectorAll(selector)); }
  function inField(node) { return /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName); }

  // One press is one deed: a form that is on its way is not sent again.
  all("form").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      if (form.getAttribute("data-sent")) { event.preventDefault(); return; }
      if ((form.method || "").toLowerCase() !== "post") { return; }
      form.setAttribute("data-sent", "1");
      var key = "draft " + form.getAttribute("data-draft");
      try { if (key !== "draft null") { sessionStorage.setItem("sent", JSON.stringify([form.elements.once.value, key, localStorage.getItem(key)])); } } catch (_) { /* private window */ }
      window.setTimeout(function () { form.removeAttribute("data-sent"); }, 8000);
    });
  });
  window.addEventListener("pageshow", function () { all("form[data-sent]").forEach(function (form) { form.removeAttribute("data-sent"); }); });

  // Drafts: what was typed and not taken is there again, until one signs out; who complained is not kept. The answer's address
  // names the form that was taken; what was typed since it was sent stays.
  try {
    var sent = JSON.parse(sessionStorage.getItem("sent") || "null");
    if (sent && location.search.indexOf("once=" + sent[0]) > 0) {
      if (localStorage.getItem(sent[1]) === sent[2]) { localStorage.removeItem(sent[1]); }
      sessionStorage.removeItem("sent");
    }
  } catch (_) { /* no storage */ }
  all("form[action='/logout']").forEach(function (form) {
    form.addEventListener("submit", function () {
      try { sessionStorage.removeItem("sent"); Object.keys(localStorage).forEach(function (key) { if (key.indexOf("draft ") === 0) { localStorage.removeItem(key); } }); } catch (_) { /* no storage */ }
    });
  });
  var dirty = false;
  all("form[data-draft]").forEach(function (form) {
    var key = "draft " + form.getAttribute("data-draft"), said = form.querySelector("[data-saved]");
    var fields = all("textarea, input[type=text]:not([data-private]), input[type=date], input[type=number], select", form);
    try {
      var kept = JSON.parse(localStorage.getItem(key) || "null");
      if (kept) {
        var used = false;
        fields.forEach(function (field) { if (!field.value && kept[field.name]) { field.value = kept[field.name]; used = true; } });
        if (used && said) { said.textContent = said.getAttribute("data-say-kept"); }
      }
    } catch (_) { /* no storage */ }
    form.addEventListener("input", function () {
      dirty = true;
      var now = {};
      fields.forEach(function (field) { if (field.value) { now[field.name] = field.value; } });
      try { localStorage.setItem(key, JSON.stringify(now)); if (said) { said.textContent = said.getAttribute("data-say-saved"); } } catch (_) { /* no storage */ }
    });
    form.addEventListener("submit", function () { dirty = false; });
  });
  window.addEventListener("beforeunload", function (event) { if (dirty) { event.preventDefault(); event.returnValue = ""; } });
  all("form:not([data-draft])").forEach(function (form) { form.addEventListener("submit", function () { dirty = false; }); });

  // Texts for an answer: put into the field in place; what somebody wrote himself stays above it.
  all("form[data-fill]").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      var field = doc.getElementById(form.getAttribute("data-fill")), list = doc.querySelector("select[form='" + form.id + "']");
      var options = list ? all("option", list) : [], texts = options.map(function (one) { return one.getAttribute("data-text"); });
      if (!field || !list || list.selectedIndex < 0) { return; }
      event.preventDefault();
      var own = field.value && texts.indexOf(field.value) < 0 ? field.value + "\n" : "";
      field.value = own + texts[list.selectedIndex];
      var typed = doc.createEvent("Event");
      typed.initEvent("input", true, false);
      field.dispatchEvent(typed);
      field.focus();
    });
  });

  all("input[data-all]").forEach(function (box) {
    box.addEventListener("change", function () {
      all("input[name=" + box.getAttribute("data-all") + "]").forEach(function (one) { if (!one.disabled) { one.checked = box.checked; } });
    });
  });

  // Keys: j, k, Enter and x in a list, / for the search; never inside a field.
  var rows = all("table[data-rows] tbody tr"), at = -1;
  function go(to) {
    if (!rows.length) { return; }
    if (at >= 0) { rows[at].className = ""; }
    at = Math.max(0, Math.min(rows.length - 1, to));
    rows[at].className = "at";
    var link = rows[at].querySelector("a");
    if (link) { link.focus(); }
  }
  doc.addEventListener("keydown", function (event) {
    var target = event.target;
    if (event.ctrlKey && event.key === "Enter" && target.form) {
      event.preventDefault();
      var button = target.form.querySelector("button.main");
      if (button) { button.click(); }
      return;
    }
    if (inField(target) || event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (event.key === "/") { var find = doc.querySelector("[data-key='/']"); if (find) { event.preventDefault(); find.focus(); } }
    if (event.key === "j") { go(at + 1); }
    if (event.key === "k") { go(at - 1); }
    if (event.key === "x" && at >= 0) { var box = rows[at].querySelector("input[type=checkbox]"); if (box) { box.checked = !box.checked; } }
  });

  // The desk: what is typed is looked up, a moment after the last key.
  var desk = doc.querySelector("form[data-look]");
  if (desk && window.fetch && window.FormData) {
    var timer = null, turn = 0, side = doc.getElementById("look");
    desk.addEventListener("input", function () {
      window.clearTimeout(timer);
      timer = window.setTimeout(function () {
        var mine = ++turn;
        fetch(desk.getAttribute("data-look"), { method: "POST", body: new FormData(desk), headers: { "X-Fragment": "1" }, credentials: "same-origin" })
          .then(function (answer) { return answer.ok ? answer.text() : null; })
          .then(function (html) { if (html !== null && mine === turn) { side.innerHTML = html; } })
          .catch(function () { /* the button does the same */ });
      }, 500);
    });
  }

  // What waits for the unit, beside the menu's word; asked for while somebody is there, so that a session still ends by itself.
  var counted = doc.querySelector("[data-badge]"), active = Date.now();
  if (counted && window.fetch) {
    var mark = doc.createElement("span");
    mark.className = "badge"; mark.hidden = true; counted.appendChild(mark);
    ["keydown", "pointerdown", "scroll"].forEach(function (kind) { window.addEventListener(kind, function () { active = Date.now(); }, { passive: true }); });
    var count = function () {
      if (doc.hidden || Date.now() - active > 600000) { return; }
      fetch(counted.getAttribute("data-badge"), { credentials: "same-origin" }).then(function (answer) { return answer.ok ? answer.json() : null; }).then(function (now) {
        if (now) { mark.textContent = now.n; mark.title = now.words; mark.hidden = !now.n; }
      }).catch(function () { /* the next time */ });
    };
    window.setTimeout(count, 2000);
    window.setInterval(count, 60000);
  }

  // The wall: only the board is fetched anew.
  var wall = doc.querySelector("[data-wall]");
  if (wall && window.fetch) {
    window.setInterval(function () {
      fetch(location.href, { credentials: "same-origin" }).then(function (answer) { return answer.text(); }).then(function (html) {
        var fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-wall]");
        if (fresh) { wall.innerHTML = fresh.innerHTML; }
      }).catch(function () { /* next minute */ });
    }, 60000);
  }
})();
