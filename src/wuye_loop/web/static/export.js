/* Beside the lists that are had as files; without it a link is a plain download. ES5 only. */
(function () {
  "use strict";
  var doc = document;
  function all(selector, root) { return Array.prototype.slice.call((root || doc).querySelectorAll(selector)); }

  // A list as a file: how far it is, and a way to stop it; without this the link is a plain download. Pieces come behind lines
  // `rows bytes why`; a file without a last `why` broke off.
  all("[data-files]").forEach(function (box) {
    var told = box.querySelector("[role=status]"), stop = box.querySelector("button"), going = null;
    if (!window.fetch || !window.ReadableStream || !window.AbortController || !window.Blob || !window.URL) { return; }
    function say(what, n, m) { told.textContent = box.getAttribute("data-say-" + what).replace("{n}", n).replace("{m}", m); }
    function over(what, n, m) { going = null; stop.hidden = true; say(what, n, m); }
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
          over(why, rows, total);
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
})();
