// Puts the page together: takes messages into one state and draws what has changed, once a frame.

import {byId, show, text, attribute} from './dom.js';
import {follow, hasToken, story, takeToken, useToken} from './feed.js';
import {drawPods, focusPod, step} from './pods.js';
import {addEvent, drawFindings, drawNode, drawPulls, drawTiles, makeTiles} from './panels.js';
import {drawStory, drawStoryPlots} from './story.js';

const KEPT = 90;
const TOTALS_KEPT = 60;
const STORY_MILLIS = 800;

const state = {node: null, pods: [], usage: new Map(), totals: [], findings: null, selected: '', story: null};
let lastEvent = 0;
let following = false;
let drawing = false;
let storyTimer = 0;
let lastSample = null;

// Drawing.

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawTiles(state);
    drawPods(state, open);
    if (state.selected) drawStoryPlots(state.usage);
  });
}

// Messages.

const TAKE = {
  node(message) {
    state.node = message;
    drawNode(message);
  },
  pods(message) {
    const before = JSON.stringify(state.pods.find(pod => pod.id === state.selected));
    state.pods = message.pods;
    if (state.selected && JSON.stringify(state.pods.find(pod => pod.id === state.selected)) !== before) refreshStory();
  },
  usage(message) {
    message.samples.forEach(sample);
  },
  pulls(message) {
    drawPulls(message.pulls);
  },
  findings(message) {
    state.findings = message;
    drawFindings(message);
  },
  event(message) {
    // After a break in the line the newest come again.
    if (message.number <= lastEvent) return;
    lastEvent = message.number;
    addEvent(message, open);
    if (message.podId === state.selected) refreshStory();
  },
  alive() {}
};

function sample({at, figures}) {
  if (lastSample && at <= lastSample.at) return;
  const seconds = lastSample ? (at - lastSample.at) / 1000 : 0;
  const total = {cpu: 0, memory: 0, received: 0, sent: 0};
  for (const [id, now] of Object.entries(figures)) {
    if (!state.usage.has(id)) state.usage.set(id, Object.assign([], {count: 0}));
    const mine = state.usage.get(id);
    mine.push(now);
    mine.count++;
    if (mine.length > KEPT) mine.shift();
  }
  for (const id of state.usage.keys()) if (!figures[id]) state.usage.delete(id);
  for (const pod of state.pods) {
    const now = figures[pod.id];
    const before = lastSample?.figures[pod.id];
    total.cpu += now?.[0] ?? 0;
    total.memory += now?.[1] ?? 0;
    if (now && before && seconds > 0) {
      total.received += Math.max(0, now[2] - before[2]) / seconds;
      total.sent += Math.max(0, now[3] - before[3]) / seconds;
    }
  }
  lastSample = {at, figures};
  state.totals.push(total);
  if (state.totals.length > TOTALS_KEPT) state.totals.shift();
}

function take(message) {
  TAKE[message.kind]?.(message);
  draw();
}

// The line to the daemon.

const LINE = {live: 'live', waiting: 'no answer, trying again', refused: 'token refused'};

function tell(line) {
  text(byId('connection'), LINE[line]);
  attribute(byId('connection'), 'data-state', line);
  attribute(document.body, 'data-line', line);
  if (line === 'live') {
    // A daemon that was started anew counts its events from one again.
    lastEvent = 0;
    byId('events').replaceChildren();
    drawPulls([]);
  }
  if (line === 'refused') {
    text(byId('login-problem'), 'This token is not, or no longer, the one of this daemon.');
    login();
  }
}

function login() {
  show(byId('login'), true);
  show(byId('main'), false);
  byId('login-text').focus();
}

async function begin() {
  if (!hasToken()) {
    text(byId('connection'), 'no token');
    login();
    return;
  }
  show(byId('login'), false);
  show(byId('main'), true);
  if (!following) {
    following = true;
    await follow(take, tell);
    following = false;
  }
}

// A pod.

async function open(id) {
  if (!id) return;
  state.selected = id;
  state.story = null;
  history.replaceState(null, '', '#/pod/' + id);
  attribute(byId('columns'), 'class', 'columns with-story');
  show(byId('story'), true);
  drawStory(state, null, close);
  draw();
  await loadStory();
  byId('story-heading').focus({preventScroll: true});
}

async function loadStory() {
  const id = state.selected;
  const found = await story(id).catch(() => null);
  if (id === state.selected && (found || !state.pods.some(pod => pod.id === id))) {
    state.story = found;
    drawStory(state, found, close);
  }
}

function refreshStory() {
  if (!storyTimer) {
    storyTimer = setTimeout(() => {
      storyTimer = 0;
      if (state.selected) loadStory();
    }, STORY_MILLIS);
  }
}

function close() {
  const id = state.selected;
  state.selected = '';
  history.replaceState(null, '', location.pathname);
  attribute(byId('columns'), 'class', 'columns');
  show(byId('story'), false);
  draw();
  focusPod(id);
}

// Keys and buttons.

function theme() {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const now = document.documentElement.dataset.theme || (dark ? 'dark' : 'light');
  document.documentElement.dataset.theme = now === 'dark' ? 'light' : 'dark';
  localStorage.setItem('berth-console-theme', document.documentElement.dataset.theme);
}

const KEYS = {'/': () => byId('filter').focus(), j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
  t: theme, '?': () => byId('help').showModal()};

function key(event) {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open || byId('main').hidden) return;
  if (event.key === 'Escape' && typing && event.target.value && event.target.id === 'filter') {
    event.target.value = '';
    draw();
  } else if (event.key === 'Escape' && state.selected) {
    close();
  } else if (KEYS[event.key] && (!typing || event.target.id === 'filter' && event.key.startsWith('Arrow'))) {
    event.preventDefault();
    KEYS[event.key]();
  }
}

const savedTheme = localStorage.getItem('berth-console-theme');
if (savedTheme === 'dark' || savedTheme === 'light') document.documentElement.dataset.theme = savedTheme;
takeToken();
makeTiles();
drawPulls([]);
['filter', 'show', 'sort'].forEach(id => byId(id).addEventListener('input', draw));
byId('theme').addEventListener('click', theme);
byId('keys').addEventListener('click', () => byId('help').showModal());
byId('login-form').addEventListener('submit', event => {
  event.preventDefault();
  const good = useToken(byId('login-text').value);
  text(byId('login-problem'), good ? '' : 'This is no token: it has 43 letters, digits, - or _.');
  byId('login-text').value = '';
  if (good) begin();
});
document.addEventListener('keydown', key);
window.addEventListener('hashchange', () => takeToken() && begin());
// Ages, and pods that begin to hang.
setInterval(() => document.hidden || draw(), 1000);
const asked = /^#\/pod\/([0-9a-f]{1,64})$/.exec(location.hash);
begin();
if (asked && hasToken()) open(asked[1]);
