// The table of pods.

import {arrange, attribute, byId, el, plot, show, text} from './dom.js';
import {bytes, cores, plain, span} from './words.js';

const SLOW_MILLIS = 15000;
const SLOTS = 45;

const rows = new Map();
let shown = [];

export function containerState(container) {
  if (container.state !== 'exited' && container.state !== 'removing') return container.state;
  return container.exitCode === 0 ? 'done' : 'failed';
}

export function containerWords(container) {
  const state = containerState(container);
  if (state === 'failed') return 'exited ' + container.exitCode + (container.reason ? ', ' + plain(container.reason) : '');
  return state === 'done' ? 'exited 0' : state;
}

// Why a person should look at it, or nothing.
export function trouble(pod, now) {
  const failed = pod.containers.find(container => containerState(container) === 'failed');
  if (failed) return plain(failed.name) + ' ' + containerWords(failed);
  if (pod.state === 'creating' && now - pod.createdAt > SLOW_MILLIS) return 'hangs in its creation';
  const waits = pod.containers.find(each => ['creating', 'created'].includes(each.state) && now - each.createdAt > SLOW_MILLIS);
  if (waits && pod.state === 'ready') return plain(waits.name) + ' has not started';
  return '';
}

function makeRow(open) {
  const row = {
    button: el('button', {type: 'button', class: 'name'}), space: el('span', {class: 'space'}),
    state: el('span', {class: 'state'}), why: el('span', {class: 'why'}), chips: el('td', {class: 'wide chips'}),
    address: el('td', {class: 'wide extra mono'}), cpu: el('span', {class: 'figure'}), memory: el('span', {class: 'figure'}),
    age: el('td', {class: 'num age'}), cpuPlot: plot('cpu'), memoryPlot: plot('memory'), drawn: 0, chipsOf: ''
  };
  row.node = el('tr', {},
    el('th', {scope: 'row'}, row.button, row.space), el('td', {class: 'states'}, row.state, row.why), row.chips, row.address,
    el('td', {class: 'num'}, el('span', {class: 'meter'}, row.cpuPlot.node, row.cpu)),
    el('td', {class: 'num'}, el('span', {class: 'meter'}, row.memoryPlot.node, row.memory)), row.age);
  row.button.addEventListener('click', () => open(row.pod.id));
  row.node.addEventListener('click', event => event.target === row.button || open(row.pod.id));
  return row;
}

function update(row, pod, use, selected, now) {
  row.pod = pod;
  text(row.button, plain(pod.name));
  attribute(row.button, 'aria-expanded', String(selected));
  attribute(row.node, 'class', selected ? 'selected' : '');
  text(row.space, plain(pod.namespace) + (pod.attempt ? ' · attempt ' + pod.attempt : ''));
  const why = trouble(pod, now);
  text(row.state, pod.state);
  attribute(row.state, 'data-state', why && pod.state !== 'stopped' ? 'failed' : pod.state);
  text(row.why, why);
  text(row.address, pod.hostNetwork ? 'node' : pod.addresses.length ? pod.addresses[0] : '–');
  text(row.age, span(now - pod.createdAt));
  chips(row, pod);
  const last = use?.at(-1);
  text(row.cpu, last ? cores(last[0]) : '–');
  text(row.memory, last ? bytes(last[1]) : '–');
  if (use && use.count !== row.drawn) {
    row.drawn = use.count;
    row.cpuPlot.draw(use.slice(-SLOTS).map(each => each[0]), SLOTS, 1e7);
    row.memoryPlot.draw(use.slice(-SLOTS).map(each => each[1]), SLOTS, 1e6);
  }
}

function chips(row, pod) {
  const key = pod.containers.map(each => each.id + containerWords(each)).join();
  if (key === row.chipsOf) return;
  row.chipsOf = key;
  row.chips.replaceChildren(...pod.containers.map(each => el('span', {class: 'chip', 'data-state': containerState(each),
    title: containerWords(each)}, el('span', {class: 'unseen'}, containerWords(each) + ' '), plain(each.name))));
}

function matches(pod, words) {
  const all = [pod.id, pod.name, pod.namespace, ...pod.addresses,
    ...pod.containers.flatMap(each => [each.id, each.name, each.image])].join(' ').toLowerCase();
  return words.every(word => all.includes(word));
}

const WANTED = {
  all: () => true,
  trouble: (pod, now) => trouble(pod, now) !== '',
  ready: pod => pod.state === 'ready',
  stopped: pod => pod.state === 'stopped' || pod.state === 'stopping'
};

function order(kind, usage, now) {
  const last = (pod, at) => usage.get(pod.id)?.at(-1)?.[at] ?? -1;
  return {
    trouble: (a, b) => (trouble(b, now) !== '') - (trouble(a, now) !== ''),
    newest: () => 0,
    name: (a, b) => (a.namespace + '/' + a.name).localeCompare(b.namespace + '/' + b.name),
    cpu: (a, b) => last(b, 0) - last(a, 0),
    memory: (a, b) => last(b, 1) - last(a, 1)
  }[kind];
}

export function drawPods(state, open) {
  const now = Date.now();
  const words = byId('filter').value.toLowerCase().split(/\s+/).filter(word => word);
  const wanted = WANTED[byId('show').value];
  shown = state.pods.filter(pod => wanted(pod, now) && matches(pod, words)).sort(order(byId('sort').value, state.usage, now));
  const there = new Set(state.pods.map(pod => pod.id));
  for (const id of rows.keys()) if (!there.has(id)) rows.delete(id);
  arrange(byId('pods'), shown.map(pod => {
    if (!rows.has(pod.id)) rows.set(pod.id, makeRow(open));
    const row = rows.get(pod.id);
    update(row, pod, state.usage.get(pod.id), pod.id === state.selected, now);
    return row.node;
  }));
  text(byId('pods-count'), shown.length === state.pods.length ? shown.length : shown.length + ' of ' + state.pods.length);
  show(byId('pods-empty'), shown.length === 0);
  text(byId('pods-empty'), state.pods.length === 0 ? 'No pods on this node yet.' : 'No pod fits the filter.');
}

// Moves the focus to the next (1) or previous (-1) pod.
export function step(direction) {
  const buttons = shown.map(pod => rows.get(pod.id).button);
  const at = buttons.indexOf(document.activeElement);
  const next = buttons[at < 0 ? (direction > 0 ? 0 : buttons.length - 1) : at + direction];
  if (next) next.focus();
}

export function focusPod(id) {
  rows.get(id)?.button.focus();
}

