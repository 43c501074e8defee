// The end of a container's log, read again while it is open.

import {el} from './dom.js';
import {log} from './feed.js';
import {plain} from './words.js';

const AGAIN_MILLIS = 2000;
// Container ids whose log is open, with what was read last: the panel around it is made anew often.
const open = new Map();

function line(each) {
  return el('li', {class: each.err ? 'stderr' : ''}, el('time', {}, plain(each.at.slice(11, 23))), el('span', {}, plain(each.text)));
}

function draw(place, told) {
  if (!told) {
    place.replaceChildren(el('p', {class: 'empty'}, 'One moment.'));
    return;
  }
  const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 8;
  const before = place.scrollTop;
  const words = told.problem ?? (told.lines.length ? '' : 'It has written nothing yet.');
  place.replaceChildren(
    ...(told.cut ? [el('p', {class: 'empty'}, 'What came before: berth logs, on the node.')] : []),
    ...(words ? [el('p', {class: 'empty'}, plain(words))] : []),
    el('ol', {}, ...told.lines.map(line)));
  place.scrollTop = atEnd ? place.scrollHeight : before;
}

async function refresh(id, place) {
  const told = await log(id).catch(() => null);
  // Nothing is drawn while somebody marks text in it.
  if (told && open.has(id) && !place.contains(document.getSelection().isCollapsed ? null : document.getSelection().anchorNode)) {
    open.set(id, told);
    draw(place, told);
  }
  setTimeout(() => place.isConnected && open.has(id) && refresh(id, place), AGAIN_MILLIS);
}

// A button, and below it the log while it is open.
export function logView(id, name) {
  const place = el('div', {class: 'log', id: 'log-' + id, tabindex: '0', role: 'region', 'aria-label': 'Log of ' + name});
  const button = el('button', {type: 'button', class: 'log-button', 'aria-controls': 'log-' + id});
  const show = () => {
    const shown = open.has(id);
    place.hidden = !shown;
    button.setAttribute('aria-expanded', String(shown));
    button.textContent = shown ? 'Hide the log' : 'Show the log';
    if (shown) {
      draw(place, open.get(id));
      requestAnimationFrame(() => place.scrollTop = place.scrollHeight);
      setTimeout(() => refresh(id, place), 0);
    }
  };
  button.addEventListener('click', () => {
    if (!open.delete(id)) open.set(id, null);
    show();
  });
  show();
  return el('div', {}, button, place);
}
