// The line to the daemon: asks, reads JSON line by line, and asks again when it breaks.

const KEY = 'berth-console-token';
const SILENCE_MILLIS = 25000;
const TOKEN = /[A-Za-z0-9_-]{43}$/;

// The token came behind the # of the address, which browsers send nowhere. It leaves the address bar and the history at once.
export function takeToken() {
  if (/^#[A-Za-z0-9_-]{43}$/.test(location.hash)) {
    sessionStorage.setItem(KEY, location.hash.slice(1));
    history.replaceState(null, '', location.pathname);
    return true;
  }
  return false;
}

// From what a person pastes: the token, or the whole address.
export function useToken(pasted) {
  const found = TOKEN.exec(pasted.trim());
  if (found) sessionStorage.setItem(KEY, found[0]);
  return found !== null;
}

export const hasToken = () => sessionStorage.getItem(KEY) !== null;

export function forgetToken() {
  sessionStorage.removeItem(KEY);
}

function ask(path, signal) {
  return fetch(path, {headers: {Authorization: 'Bearer ' + sessionStorage.getItem(KEY)}, cache: 'no-store', signal});
}

export async function story(id) {
  const answer = await ask('/api/pods/' + id);
  return answer.ok ? answer.json() : null;
}

export async function log(containerId) {
  const answer = await ask('/api/logs/' + containerId);
  return answer.ok ? answer.json() : {lines: [], problem: 'this container is no longer on the node', cut: false};
}

const pause = millis => new Promise(done => setTimeout(done, millis));

// Calls take(message) for each message and tell(state) for each change: "live", "waiting", "refused".
export async function follow(take, tell) {
  let wait = 500;
  while (hasToken()) {
    const stop = new AbortController();
    let heard = Date.now();
    const watch = setInterval(() => Date.now() - heard > SILENCE_MILLIS && stop.abort(), 1000);
    try {
      const answer = await ask('/api/live', stop.signal);
      if (answer.status === 401) {
        forgetToken();
        tell('refused');
        return;
      }
      if (!answer.ok) throw new Error('status ' + answer.status);
      tell('live');
      wait = 500;
      await lines(answer.body.getReader(), line => {
        heard = Date.now();
        take(JSON.parse(line));
      });
    } catch (broken) {
      console.debug('feed', broken);
    } finally {
      clearInterval(watch);
      stop.abort();
    }
    tell('waiting');
    await pause(wait);
    wait = Math.min(wait * 2, 8000);
  }
}

async function lines(reader, each) {
  const decoder = new TextDecoder();
  let rest = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const pieces = (rest + decoder.decode(part.value, {stream: true})).split('\n');
    rest = pieces.pop();
    pieces.filter(line => line).forEach(each);
  }
}
