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
      var key = form.getAttribute("data-draft");
      if (key) { try { localStorage.removeItem("draft " + key); } catch (_) { /* private window */ } }
      window.setTimeout(function () { form.removeAttribute("data-sent"); }, 8000);
    });
  });
  window.addEventListener("pageshow", function () { all("form[data-sent]").forEach(function (form) { form.removeAttribute("data-sent"); }); });

  // Drafts: what was typed and not sent is there again, until one signs out; who complained is not kept.
  all("form[action='/logout']").forEach(function (form) {
    form.addEventListener("submit", function () {
      try { Object.keys(localStorage).forEach(function (key) { if (key.indexOf("draft ") === 0) { localStorage.removeItem(key); } }); } catch (_) { /* no storage */ }
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

  // A list as a file: how far it is, and a way to stop it; without this the link is a plain download. Pieces come behind lines
  // `rows bytes why`; a file without a last `why` broke off.
  all("[data-files]").forEach(function (box) {
    var told = box.querySelector("[role=status]"), stop = box.querySelector("button"), going = null;
    if (!window.fetch || !window.ReadableStream || !window.AbortController || !window.Blob || !window.URL) { return; }
    function say(what, n, m) { told.textContent = box.getAttribute("data-say-" + what).replace("{n}", n).replace("{m}", m); }
    function over(what, n) { going = null; stop.hidden = true; say(what, n); }
    stop.addEventListener("click", function () { if (going) { going.abort(); } });
    function take(link) {
      var mine = going = new AbortController(), kept = [], rest = new Uint8Array(0), left = 0, rows = "0", why = "", total = null, name = "";
      stop.hidden = false; say("rows", rows);
      function read(bytes) {
        var whole = new Uint8Array(rest.length + bytes.length), at = 0, end, line, part;
        whole.set(rest); whole.set(bytes, rest.length);
        while (at < whole.length) {
          if (left) {
            part = whole.slice(at, at + left);
            kept.push(part); left -= part.length; at += part.length;
          } else {
            end = whole.indexOf(10, at);
            if (end < 0) { break; }
            line = String.fromCharCode.apply(null, whole.subarray(at, end)).split(" ");
            rows = line[0]; left = Number(line[1]); why = line[2] || ""; at = end + 1;
            say(total ? "of" : "rows", rows, total);
          }
        }
        rest = whole.slice(at);
      }
      fetch(link.href, { credentials: "same-origin", headers: { "X-Progress": "1" }, signal: mine.signal }).then(function (answer) {
        if (!answer.ok || answer.redirected) { over(answer.status === 429 ? "busy" : "failed"); return null; }
        total = answer.headers.get("X-Rows");
        name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))[1];
        var reader = answer.body.getReader();
        function next(piece) {
          if (!piece.done) { read(piece.value); return reader.read().then(next); }
          if (!why || left) { throw new Error("broken off"); }
          var save = doc.createElement("a"), url = URL.createObjectURL(new Blob(kept));
          save.href = url; save.download = name; box.appendChild(save); save.click(); box.removeChild(save);
          window.setTimeout(function () { URL.revokeObjectURL(url); }, 60000);
          over(why, rows);
          return null;
        }
        return reader.read().then(next);
      }).catch(function () { over(mine.signal.aborted ? "stopped" : "failed"); });
    }
    all("a", box).forEach(function (link) {
      link.addEventListener("click", function (event) {
        if (event.ctrlKey || event.metaKey || event.shiftKey) { return; }
        event.preventDefault();
        if (going) { say("busy"); } else { take(link); }
      });
    });
  });

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
