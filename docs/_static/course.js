// The theme's arrows that unfold the side bar have no name for screen readers.
document.addEventListener("DOMContentLoaded", () => {
  for (const summary of document.querySelectorAll(".bd-sidenav details > summary")) {
    const link = summary.closest("li").querySelector("a");
    summary.setAttribute("aria-label", `pages below ${link.textContent.trim()}`);
  }
});
