// @ts-check
// What every page runs: menus that close, toasts, the theme, the question before a deletion, sliders, copy buttons,
// rows of tabs.
import "./menu.js";
import "./toast.js";
import "./theme.js";
import "./confirm.js";
import "./slider.js";
import "./copy.js";
import "./tabs.js";
