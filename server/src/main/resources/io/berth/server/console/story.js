// One pod: its start as a waterfall, its containers, what it uses.

import {byId, el, plot, text} from './dom.js';
import {bytes, clock, cores, moment, plain, shortId, took} from './words.js';
import {logView} from './logs.js';
import {containerState, containerWords, trouble} from './pods.js';

// Longer than this between two steps: another chapter, such as a container's restart.
const CHAPTER_MILLIS = 20000;
// Of the whole: shorter pauses are not worth a line.
const LEAST_GAP = 0.01;
const SLOTS = 90;
let chapter = -1;
let shownId = '';
let plots = [];

function chapters(steps) {
  const all = [];
  let end = -Infinity;
  for (const step of steps) {
    if (step.at - end > CHAPTER_MILLIS) all.push([]);
    all.at(-1).push(step);
    end = Math.max(end, step.at + step.took);
  }
  return all;
}

// Steps of one operation on one subject, in the order in which the operations began.
function operations(steps) {
  const all = new Map();
  for (const step of steps) {
    const key = step.operation + ' ' + step.subject;
    if (!all.has(key)) all.set(key, []);
    all.get(key).push(step);
  }
  return [...all.values()];
}

const endOf = steps => Math.max(...steps.map(step => step.at + step.took));

function titleOf(steps) {
  const names = new Set(steps.map(step => step.operation));
  if (names.has('RunPodSandbox')) return 'Start';
  if (names.has('RemovePodSandbox') || names.has('StopPodSandbox')) return 'End';
  return names.has('CreateContainer') ? 'Restart' : names.has('StopContainer') ? 'Stop' : 'Change';
}

function bar(from, length, whole, className) {
  const node = el('span', {class: 'span ' + className});
  node.style.setProperty('left', (from / whole * 100).toFixed(3) + '%');
  node.style.setProperty('width', Math.max(0.15, length / whole * 100).toFixed(3) + '%');
  return node;
}

function axis(whole) {
  const rough = whole / 5;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].map(each => each * scale).find(each => each >= rough);
  const ticks = el('div', {class: 'axis', 'aria-hidden': 'true'});
  for (let at = 0; at <= whole; at += unit) {
    const tick = el('span', {}, at === 0 ? '0' : took(at).replace(/(\.\d*?)0+ /, '$1 ').replace('. ', ' '));
    tick.style.setProperty('left', (at / whole * 100).toFixed(3) + '%');
    ticks.append(tick);
  }
  return ticks;
}

// Time in which no step of the pod ran: the kubelet thought, an image came, another pod's turn.
function between(end, begin, from, whole) {
  return begin - end < whole * LEAST_GAP ? [] : [el('tr', {class: 'gap'}, el('th', {scope: 'row'}, 'between calls'),
    el('td', {class: 'track'}, bar(end - from, begin - end, whole, 'gap')), el('td', {class: 'num'}, took(begin - end)))];
}

function waterfall(steps, nameOf) {
  const from = steps[0].at;
  const whole = Math.max(0.001, endOf(steps) - from);
  let end = from;
  const rows = operations(steps).flatMap((mine, index) => {
    const gap = between(end, mine[0].at, from, whole);
    end = Math.max(end, endOf(mine));
    const begin = mine[0].at;
    const length = endOf(mine) - begin;
    const kind = 'kind' + index % 4;
    const head = el('tr', {class: 'operation'},
      el('th', {scope: 'row'}, mine[0].operation, el('span', {class: 'of'}, nameOf(mine[0].subject))),
      el('td', {class: 'track'}, bar(begin - from, length, whole, kind + ' total')), el('td', {class: 'num'}, took(length)));
    return [...gap, head, ...mine.map(step => el('tr', {class: step.error ? 'failed' : ''},
      el('th', {scope: 'row'}, step.step), el('td', {class: 'track', title: '+' + took(step.at - from) + ', ' + took(step.took)},
        bar(step.at - from, step.took, whole, step.error ? 'failed' : kind)),
      el('td', {class: 'num'}, took(step.took)))),
    ...mine.filter(step => step.error).map(step => el('tr', {class: 'failed'}, el('td', {colspan: '3'}, plain(step.error))))];
  });
  return el('div', {class: 'waterfall'}, axis(whole), el('table', {}, el('caption', {class: 'unseen'}, 'Steps with their times'),
    el('tbody', {}, ...rows)));
}

function slowest(steps) {
  const first = [...steps].sort((a, b) => b.took - a.took)[0];
  const whole = endOf(steps) - steps[0].at;
  const working = steps.reduce((sum, step) => sum + step.took, 0);
  const failed = steps.find(step => step.error);
  return failed ? failed.operation + ' failed at "' + failed.step + '".'
    : took(whole) + ' in all, ' + took(Math.min(whole, working)) + ' of it in Berth’s steps; the longest was '
      + first.operation + ' “' + first.step + '” with ' + took(first.took) + '.';
}

function timeline(story, nameOf, redraw) {
  const all = chapters(story.steps);
  if (all.length === 0) return el('p', {class: 'empty'}, 'Nothing is known of its steps: Berth was started anew since.');
  const at = chapter < 0 || chapter >= all.length ? 0 : chapter;
  const choices = all.map((steps, i) => {
    const button = el('button', {type: 'button', 'aria-pressed': String(i === at)}, titleOf(steps) + ' ' + clock(steps[0].at));
    button.addEventListener('click', () => {
      chapter = i;
      redraw();
    });
    return button;
  });
  return el('div', {}, el('div', {class: 'chapters', role: 'group', 'aria-label': 'Chapters'}, ...choices),
    el('p', {class: 'summary'}, slowest(all[at])), waterfall(all[at], nameOf));
}

function fact(name, value) {
  return value ? el('div', {}, el('dt', {}, name), el('dd', {}, plain(String(value)))) : undefined;
}

function usagePlots(id, what) {
  const cpu = {id, at: 0, words: cores, figure: el('span', {class: 'figure'}), plot: plot('cpu large'), least: 1e7};
  const memory = {id, at: 1, words: bytes, figure: el('span', {class: 'figure'}), plot: plot('memory large'), least: 1e6};
  plots.push(cpu, memory);
  return el('div', {class: 'plots', role: 'group', 'aria-label': 'Use of ' + what},
    el('div', {}, el('p', {class: 'more'}, 'CPU ', cpu.figure), cpu.plot.node),
    el('div', {}, el('p', {class: 'more'}, 'Memory ', memory.figure), memory.plot.node));
}

function container(row, more) {
  const state = containerState(row);
  const limit = more?.memoryLimit > 0 ? bytes(more.memoryLimit) : '';
  const quota = more?.cpuQuota > 0 && more?.cpuPeriod > 0 ? (more.cpuQuota / more.cpuPeriod).toFixed(2) + ' processors' : '';
  return el('article', {class: 'container', 'data-state': state},
    el('h4', {}, el('span', {class: 'chip', 'data-state': state}, plain(row.name)), el('span', {class: 'more'}, containerWords(row)
      + (row.attempt ? ' · attempt ' + row.attempt : ''))),
    row.message ? el('p', {class: 'problem'}, plain(row.message)) : undefined,
    state === 'running' ? usagePlots(row.id, plain(row.name)) : undefined,
    el('dl', {class: 'facts'}, fact('image', row.image), fact('command', more?.command.join(' ')),
      fact('started', row.startedAt ? moment(row.startedAt) : ''), fact('ended', row.endedAt ? moment(row.endedAt) : ''),
      fact('limits', [limit, quota].filter(each => each).join(', ')), fact('process', more?.pid ? more.pid + ', user ' + more.user : ''),
      fact('log', more?.log), fact('id', shortId(row.id)),
      fact('mounts', more?.mounts.map(each => each.from + ' → ' + each.to + (each.readOnly ? ' (read only)' : '')).join('\n'))),
    more?.log ? logView(row.id, plain(row.name)) : undefined);
}

export function drawStory(state, story, close) {
  const pod = state.pods.find(each => each.id === state.selected);
  const panel = byId('story');
  if (shownId !== state.selected) {
    shownId = state.selected;
    chapter = -1;
  }
  const focused = panel.contains(document.activeElement);
  const closer = el('button', {type: 'button', class: 'quiet', id: 'story-close', 'aria-label': 'Close the pod'}, '✕');
  closer.addEventListener('click', close);
  const heading = el('h2', {id: 'story-heading', tabindex: '-1'}, pod ? plain(pod.name) : 'Gone');
  const bar = el('div', {class: 'bar'}, heading, pod ? el('span', {class: 'count'}, plain(pod.namespace)) : undefined,
    el('span', {class: 'grow'}), closer);
  plots = [];
  if (!pod || !story) {
    panel.replaceChildren(bar, el('p', {class: 'empty'}, pod ? 'One moment.' : 'This pod is no longer on the node.'));
    return;
  }
  const why = trouble(pod, Date.now());
  const names = new Map(pod.containers.map(each => [each.id, plain(each.name)]));
  const nameOf = id => names.get(id) ?? (id === pod.id ? '' : shortId(id));
  const more = new Map(story.containers.map(each => [each.id, each]));
  panel.replaceChildren(bar, el('div', {class: 'body'},
    why ? el('p', {class: 'problem'}, why) : undefined,
    el('h3', {}, 'Timeline'), timeline(story, nameOf, () => drawStory(state, story, close)),
    el('h3', {}, 'Containers'), ...pod.containers.map(each => container(each, more.get(each.id))),
    ...(pod.containers.length ? [] : [el('p', {class: 'empty'}, 'None yet.')]),
    el('h3', {}, 'Pod'), pod.state === 'ready' ? usagePlots(pod.id, 'the pod') : undefined,
    el('dl', {class: 'facts'}, fact('state', pod.state), fact('addresses', pod.hostNetwork ? 'those of the node' : pod.addresses.join(', ')),
      fact('created', moment(pod.createdAt)), fact('handler', pod.handler), fact('hostname', story.hostname), fact('id', pod.id),
      fact('uid', story.uid), fact('cgroup', story.cgroup), fact('logs', story.logDirectory),
      fact('labels', Object.entries(story.labels).map(([key, value]) => key + '=' + value).join('\n')))));
  drawStoryPlots(state.usage);
  if (focused) closer.focus();
}

export function drawStoryPlots(usage) {
  for (const each of plots) {
    const values = (usage.get(each.id) ?? []).map(figures => figures[each.at]);
    if (values.length) {
      text(each.figure, each.words(values.at(-1)) + ' · most ' + each.words(Math.max(...values)));
      each.plot.draw(values, SLOTS, each.least);
    }
  }
}

