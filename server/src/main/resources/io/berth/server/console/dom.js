// Makes elements. Text becomes text nodes only: names of pods, images and errors were written by strangers.

const FEWEST_SLOTS = 16;
const SVG = 'http://www.w3.org/2000/svg';

export const byId = id => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter(child => child !== undefined));
  return element;
}

// The browser is only troubled where something has changed: most of 200 rows stay as they are.
export function text(node, value) {
  const words = String(value);
  if (node.textContent !== words) node.textContent = words;
}

export function attribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function show(node, wanted) {
  if (node.hidden === wanted) node.hidden = !wanted;
}

// Brings the children of `parent` into the order of `wanted`, moving only those that stand wrong.
export function arrange(parent, wanted) {
  let at = parent.firstChild;
  for (const node of wanted) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// A small plot. The number stands beside it in words, so it is hidden from screen readers.
export function plot(className) {
  const line = svg('path', {class: 'line'});
  const area = svg('path', {class: 'area'});
  const node = svg('svg', {class: 'plot ' + className, viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true'},
    area, line);
  return {node, draw(values, most, least) {
    if (values.length < 2) return;
    // A young plot fills its place sooner, so that it can be read.
    const slots = Math.min(most, Math.max(FEWEST_SLOTS, values.length));
    const top = Math.max(least, ...values);
    const points = values.map((value, i) => {
      const x = 100 - (values.length - 1 - i) * 100 / (slots - 1);
      return x.toFixed(1) + ' ' + (22.5 - value / top * 20).toFixed(1);
    });
    const first = points[0].split(' ')[0];
    attribute(line, 'd', 'M' + points.join('L'));
    attribute(area, 'd', 'M' + first + ' 24L' + points.join('L') + 'L100 24Z');
  }};
}
