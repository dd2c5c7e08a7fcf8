// @ts-check
// What every page runs: menus that close, toasts, the theme, the question before a deletion, sliders, copy buttons,
// rows of tabs, keys, files let go beside their place, and how many shoots run.
import "./menu.js";
import "./toast.js";
import "./theme.js";
import "./confirm.js";
import "./slider.js";
import "./copy.js";
import "./tabs.js";
import "./keys.js";
import "./drop.js";
import "./running.js";
