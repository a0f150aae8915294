// The part of the harness that runs inside JupyterLab's page. It finds explorers and their
// controls, and measures where time counts: from the key press to the picture on the screen.
window.course = (() => {
  const PANELS = ".course-picture, .course-numbers, .course-message";
  const QUIET = 80; // ms without a change after which a move is over
  // A list that has unfolded takes the keys for itself, and then tells that its value changed.
  const MOVED = ["keydown", "change"];

  // What a reader can put a hand on, first match wins; ipywidgets 7 builds sliders differently.
  const KINDS = [
    ["slider", ".noUi-handle, .ui-slider-handle"],
    ["number", "input[type=number]"],
    ["text", "input[type=text], textarea"],
    ["choice", "select"],
    ["check", "input[type=checkbox]"],
    ["radio", "input[type=radio]"],
    ["toggle", ".widget-toggle-buttons button"],
    ["button", "button"],
    ["other", "input"],
  ];

  const explorer = (index) => document.querySelectorAll(".course-explorer")[index];
  // ipywidgets fills empty labels with a space of no width.
  const text = (element) => (element ? element.textContent.replaceAll("\u200b", "").trim() : "");
  const box = (element) =>
    element.closest(".widget-inline-hbox, .widget-radio, .widget-toggle-buttons");

  function elements(root) {
    return [...root.querySelectorAll(KINDS.map(([, selector]) => selector).join(","))].filter(
      (element) => !element.closest(PANELS) && element.getClientRects().length,
    );
  }

  const kindOf = (element) => KINDS.find(([, selector]) => element.matches(selector))[0];

  function label(element) {
    if (kindOf(element) === "button") return text(element) || element.title;
    return (
      element.getAttribute("aria-label") ||
      text(box(element) && box(element).querySelector(".widget-label")) ||
      text(element.labels && element.labels[0])
    );
  }

  // Radio buttons and toggle buttons are one control of several parts.
  function controls(index) {
    const found = [];
    for (const element of elements(explorer(index))) {
      const kind = kindOf(element);
      const several = kind === "radio" || kind === "toggle";
      const group = several ? box(element) || element.parentElement : element;
      if (!found.some((control) => control.group === group)) found.push({ kind, group, element });
    }
    return found;
  }

  const list = (index) =>
    controls(index).map(({ kind, element }) => ({
      kind,
      label: label(element),
      disabled: Boolean(element.disabled),
    }));

  // The element that gets the focus: of a group, the button to press next.
  function target(index, number) {
    const { kind, group, element } = controls(index)[number];
    if (kind === "radio") return group.querySelector("input:checked") || element;
    if (kind === "toggle") return group.querySelector("button:not(.mod-active)") || element;
    return element;
  }

  const shown = (root, panel) =>
    [...root.querySelectorAll(`.course-${panel}`)].map((element) => element.innerHTML).join("\n");

  const look = (root) => ({
    picture: shown(root, "picture"),
    numbers: shown(root, "numbers"),
    message: [...root.querySelectorAll(".course-message")].map(text).join(" "),
  });

  let watched = null;

  // Call before the keys are pressed; `finish` tells what they did.
  function start(index) {
    const root = explorer(index);
    const watch = { root, before: look(root), pressed: null, changed: 0, drawn: false };
    watch.latency = null;
    watch.onKey = (event) => {
      if (!watch.drawn) watch.pressed = event.timeStamp;
    };
    for (const type of MOVED) window.addEventListener(type, watch.onKey, true);
    watch.observer = new MutationObserver((records) => {
      watch.changed = performance.now();
      const picture = records.some(({ target }) =>
        (target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement)?.closest(
          ".course-picture",
        ),
      );
      if (!picture || watch.drawn || watch.pressed === null) return;
      watch.drawn = true;
      // The first frame is still being made; when the second begins, the first is on the screen.
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          watch.latency = performance.now() - watch.pressed;
        }),
      );
    });
    watch.observer.observe(root, { subtree: true, childList: true, characterData: true });
    watched = watch;
  }

  async function finish(patience) {
    const { root, before } = watched;
    const deadline = performance.now() + patience;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const after = look(root);
      const now = performance.now();
      const changed = after.picture !== before.picture || after.numbers !== before.numbers;
      const quiet = now - watched.changed > QUIET && (!watched.drawn || watched.latency !== null);
      if ((changed && quiet) || now > deadline) {
        watched.observer.disconnect();
        for (const type of MOVED) window.removeEventListener(type, watched.onKey, true);
        return {
          picture: after.picture !== before.picture,
          numbers: after.numbers !== before.numbers,
          message: after.message,
          latency: watched.latency,
        };
      }
    }
  }

  // Which control has the focus, or -1.
  function focused(index) {
    return controls(index).findIndex(({ group }) => group.contains(document.activeElement));
  }

  // What the kernel says outside of cells: an error in an explorer's callback ends up there.
  const complaints = [];
  const panel = () => window.jupyterapp.shell.currentWidget;

  function listen() {
    kernel().iopubMessage.connect((_, { header, content }) => {
      if (header.msg_type === "error") complaints.push(`${content.ename}: ${content.evalue}`);
      if (header.msg_type === "stream" && content.name === "stderr") complaints.push(content.text);
    });
  }

  const kernel = () => panel()?.sessionContext?.session?.kernel;
  const idle = () => kernel()?.status === "idle" && panel().context.isReady;
  const cells = () => panel().model.toJSON().cells;

  // "Run all cells" sends all at once and calls itself done at the first error, even one that a tag
  // announces. The kernel answers each cell, though, be it that an error before made it drop out.
  let unanswered = 0;
  function runAll() {
    const code = cells().filter(({ cell_type, source }) => cell_type === "code" && source.trim());
    unanswered = code.length;
    kernel().anyMessage.connect((_, { msg, direction }) => {
      if (direction === "recv" && msg.header.msg_type === "execute_reply") unanswered -= 1;
    });
    window.jupyterapp.commands.execute("notebook:run-all-cells");
  }
  const done = () => unanswered <= 0 && idle();

  const end = () => panel().sessionContext.shutdown();

  return {
    list, target, start, finish, focused, listen, complaints, idle, runAll, done, cells, end,
  };
})();
