/* Everything works without this file. ES5: no sending twice, drafts kept, photos made smaller where the phone can. */
(function () {
  "use strict";
  var forms = document.querySelectorAll("form"), i;
  function guard(form) {
    form.addEventListener("submit", function (event) {
      if (form.getAttribute("data-sent")) { event.preventDefault(); return; }
      form.setAttribute("data-sent", "1");
      var said = form.querySelector("#body");
      try { if (said) { localStorage.setItem("wuye sent", said.value); } } catch (_) { /* private window */ }
      window.setTimeout(function () { form.removeAttribute("data-sent"); }, 8000);
    });
  }
  for (i = 0; i < forms.length; i += 1) { guard(forms[i]); }
  window.addEventListener("pageshow", function () { for (i = 0; i < forms.length; i += 1) { forms[i].removeAttribute("data-sent"); } });
  // What was written is kept until the page with its number is there; what was begun since then stays.
  if (document.querySelector("[data-received]")) {
    try {
      if (localStorage.getItem("wuye draft") === localStorage.getItem("wuye sent")) { localStorage.removeItem("wuye draft"); }
      localStorage.removeItem("wuye sent");
    } catch (_) { /* no storage */ }
  }
  var body = document.getElementById("body");
  if (body) {
    try { if (!body.value) { body.value = localStorage.getItem("wuye draft") || ""; } } catch (_) { /* no storage */ }
    body.addEventListener("input", function () { try { localStorage.setItem("wuye draft", body.value); } catch (_) { /* no storage */ } });
  }
  var photo = document.getElementById("photo"), most = 1280;
  if (photo && window.DataTransfer && window.URL && HTMLCanvasElement.prototype.toBlob) {
    photo.addEventListener("change", function () {
      var chosen = Array.prototype.slice.call(photo.files), made = [], waits = chosen.length;
      function put(at, file) {
        made[at] = file; waits -= 1;
        if (waits) { return; }
        try { var box = new DataTransfer(); made.forEach(function (one) { box.items.add(one); }); photo.files = box.files; } catch (_) { /* as chosen */ }
      }
      chosen.forEach(function (file, at) {
        if (!/^image\//.test(file.type) || file.size < 400000) { put(at, file); return; }
        var image = new Image(), url = URL.createObjectURL(file);
        image.onerror = function () { put(at, file); };
        image.onload = function () {
          var part = Math.min(1, most / Math.max(image.width, image.height)), canvas = document.createElement("canvas");
          canvas.width = Math.round(image.width * part); canvas.height = Math.round(image.height * part);
          canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
          canvas.toBlob(function (blob) { URL.revokeObjectURL(url); put(at, blob ? new File([blob], "photo.jpg", { type: "image/jpeg" }) : file); }, "image/jpeg", 0.85);
        };
        image.src = url;
      });
    });
  }
})();
