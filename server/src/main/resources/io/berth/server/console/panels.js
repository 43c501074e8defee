// What stands around the table: the tiles on top, pulls, findings, events.

import {arrange, attribute, byId, el, plot, text} from './dom.js';
import {bytes, clock, cores, plain, span} from './words.js';
import {containerState, trouble} from './pods.js';

const SLOTS = 60;
const tiles = {};

function tile(key, title, drawn) {
  const value = el('p', {class: 'value'}, '–');
  const more = el('p', {class: 'more'});
  const picture = drawn ? plot(key) : undefined;
  tiles[key] = {value, more, picture, node: el('div', {class: 'tile', 'data-tile': key},
    el('h2', {}, title), value, more, picture?.node)};
  return tiles[key].node;
}

function set(key, value, more, state = '') {
  text(tiles[key].value, value);
  text(tiles[key].more, more);
  attribute(tiles[key].node, 'data-state', state);
}

export function makeTiles() {
  byId('tiles').append(tile('pods', 'Pods'), tile('containers', 'Containers'), tile('cpu', 'CPU', true),
    tile('memory', 'Memory', true), tile('traffic', 'Network', true), tile('health', 'Node'));
}

const count = (list, test) => list.filter(test).length;

export function drawTiles(state) {
  const now = Date.now();
  const inTrouble = count(state.pods, pod => trouble(pod, now) !== '');
  const ready = count(state.pods, pod => pod.state === 'ready');
  set('pods', ready, inTrouble ? inTrouble + ' in trouble' : state.pods.length - ready ? state.pods.length - ready + ' not ready'
    : 'all ready', inTrouble ? 'failed' : '');
  const containers = state.pods.flatMap(pod => pod.containers);
  const failed = count(containers, each => containerState(each) === 'failed');
  set('containers', count(containers, each => each.state === 'running'), failed ? failed + ' failed'
    : count(containers, each => containerState(each) === 'done') + ' done', failed ? 'failed' : '');
  const totals = state.totals;
  if (totals.length) {
    const last = totals.at(-1);
    set('cpu', cores(last.cpu), 'of ' + (state.node?.processors ?? '?') + ' processors, by pods');
    set('memory', bytes(last.memory), 'working set of pods');
    set('traffic', bytes(last.received + last.sent) + '/s', bytes(last.received) + '/s in, ' + bytes(last.sent) + '/s out');
    tiles.cpu.picture.draw(totals.map(each => each.cpu), SLOTS, 1e7);
    tiles.memory.picture.draw(totals.map(each => each.memory), SLOTS, 1e6);
    tiles.traffic.picture.draw(totals.map(each => each.received + each.sent), SLOTS, 1000);
  }
  health(state);
}

function health(state) {
  if (!state.node) return;
  const problems = count(state.findings?.doctor ?? [], each => each.grade === 'problem')
    + count(state.findings?.reconciler ?? [], each => each.error);
  const warnings = count(state.findings?.doctor ?? [], each => each.grade === 'warning');
  if (!state.node.networkReady) set('health', 'no network', plain(state.node.networkMessage), 'failed');
  else if (problems) set('health', problems + (problems === 1 ? ' problem' : ' problems'), 'see the findings', 'failed');
  else set('health', 'ready', (warnings ? warnings + (warnings === 1 ? ' warning, ' : ' warnings, ') : '')
    + 'up ' + span(Date.now() - state.node.startedAt), warnings ? 'warning' : 'good');
}

export function drawNode(node) {
  text(byId('host'), node.host);
  text(byId('node'), 'Berth ' + node.version + ' · ' + node.runtime + ' · network ' + node.network + ' · cgroup v' + node.cgroups
    + ' · Linux ' + node.kernel);
  document.title = node.host + ' · Berth';
}

// Pulls.

const pullNodes = new Map();

function makePull() {
  const pull = {name: el('p', {class: 'reference'}), words: el('p', {class: 'more'}), bar: el('div', {class: 'bar-fill'}),
    layers: el('div', {class: 'layers', 'aria-hidden': 'true'}), error: el('p', {class: 'problem'})};
  pull.track = el('div', {class: 'bar-track', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100'}, pull.bar);
  pull.node = el('article', {class: 'pull'}, pull.name, pull.track, pull.layers, pull.words, pull.error);
  return pull;
}

const percent = (part, whole) => whole > 0 ? Math.min(100, part / whole * 100) : 0;

function updatePull(node, pull, received) {
  const done = pull.phase === 'done' ? 100 : percent(pull.done, pull.total);
  const millis = (pull.endedAt || received) - pull.startedAt;
  text(node.name, plain(pull.reference));
  node.bar.style.setProperty('width', done.toFixed(1) + '%');
  attribute(node.track, 'aria-valuenow', String(Math.round(done)));
  attribute(node.track, 'aria-label', plain(pull.reference));
  attribute(node.node, 'data-phase', pull.phase);
  const speed = millis > 300 && pull.done ? ' · ' + bytes(pull.done / millis * 1000) + '/s' : '';
  text(node.words, pull.phase + ' · ' + bytes(pull.done) + (pull.total ? ' of ' + bytes(pull.total) : '') + speed
    + ' · ' + span(millis) + (pull.retries ? ' · ' + pull.retries + ' retries' : ''));
  text(node.error, plain(pull.error));
  while (node.layers.childElementCount < pull.layers.length) node.layers.append(el('span', {}, el('i')));
  pull.layers.forEach((layer, i) => {
    const cell = node.layers.children[i];
    attribute(cell, 'data-phase', layer.phase);
    cell.firstChild.style.setProperty('width', percent(layer.phase === 'unpacking' ? layer.unpacked : layer.done, layer.total) + '%');
  });
}

export function drawPulls(pulls) {
  const keys = new Set(pulls.map(pull => pull.startedAt + pull.reference));
  for (const key of pullNodes.keys()) if (!keys.has(key)) pullNodes.delete(key);
  const nodes = pulls.map(pull => {
    const key = pull.startedAt + pull.reference;
    if (!pullNodes.has(key)) pullNodes.set(key, makePull());
    updatePull(pullNodes.get(key), pull, Date.now());
    return pullNodes.get(key).node;
  }).reverse();
  arrange(byId('pulls'), nodes.length ? nodes : [el('p', {class: 'empty'}, 'No image is being pulled.')]);
  text(byId('pulls-count'), nodes.length || '');
}

// Findings.

const GRADES = ['problem', 'warning', 'note', 'fine'];

function finding(grade, area, what, cure) {
  return el('li', {'data-grade': grade}, el('p', {}, el('span', {class: 'grade'}, grade), el('span', {class: 'area'}, area),
    el('span', {}, plain(what))), cure ? el('p', {class: 'cure'}, plain(cure)) : undefined);
}

export function drawFindings(findings) {
  const doctor = [...findings.doctor].sort((a, b) => GRADES.indexOf(a.grade) - GRADES.indexOf(b.grade));
  const loud = doctor.filter(each => each.grade !== 'fine').map(each => finding(each.grade, each.area, each.what, each.cure));
  const fine = doctor.filter(each => each.grade === 'fine').map(each => finding(each.grade, each.area, each.what, each.cure));
  const reconciler = findings.reconciler.map(each => finding(each.error ? 'problem' : 'note', each.kind,
    each.subject + ': ' + each.action, each.error));
  const open = byId('findings').querySelector('details')?.open;
  byId('findings').replaceChildren(
    el('ul', {class: 'findings'}, ...reconciler, ...loud),
    ...(loud.length || reconciler.length ? [] : [el('p', {class: 'empty'}, 'The doctor has nothing to say.')]),
    el('details', {open: open || undefined}, el('summary', {}, fine.length + ' things are fine'), el('ul', {class: 'findings'}, ...fine)),
    el('p', {class: 'more'}, 'looked at ' + clock(findings.at) + ', again every minute'));
  text(byId('findings-count'), loud.length + reconciler.length || '');
}

// Events, the newest on top.

const EVENTS_KEPT = 200;

function eventWords(event) {
  const what = event.type === 'stopped' && event.exitCode !== undefined && !event.ofPod
    ? 'ended with ' + event.exitCode + (event.reason && event.reason !== 'Completed' && event.reason !== 'Error'
      ? ' (' + plain(event.reason) + ')' : '') : event.type === 'deleted' ? 'removed' : event.type;
  return what;
}

export function addEvent(event, open) {
  const bad = event.type === 'stopped' && event.exitCode > 0 && !event.ofPod;
  const name = el('button', {type: 'button', class: 'link'}, plain(event.pod || event.id.slice(0, 12)));
  name.addEventListener('click', () => open(event.podId));
  byId('events').prepend(el('li', {'data-type': bad ? 'failed' : event.type}, el('time', {}, clock(event.at)),
    el('span', {}, name, event.ofPod ? ' ' : ' ' + plain(event.container || event.id.slice(0, 12)) + ' ',
      el('span', {class: 'what'}, eventWords(event)))));
  while (byId('events').childElementCount > EVENTS_KEPT) byId('events').lastElementChild.remove();
  text(byId('events-count'), byId('events').childElementCount);
}
