// Figures as people read them.

export function bytes(count) {
  if (count < 1000) return Math.round(count) + ' B';
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = count / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return (value < 9.995 ? value.toFixed(1) : Math.round(value)) + ' ' + units[unit];
}

// As kubectl writes them: thousandths of a processor.
export function cores(nano) {
  const milli = nano / 1e6;
  if (milli < 0.05) return '0m';
  return milli < 9.95 ? milli.toFixed(1) + 'm' : milli < 1000 ? Math.round(milli) + 'm' : (milli / 1000).toFixed(2);
}

export function span(millis) {
  const s = Math.max(0, Math.floor(millis / 1000));
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' m' + (s < 600 && s % 60 ? ' ' + s % 60 + ' s' : '');
  if (s < 172800) return Math.floor(s / 3600) + ' h' + (Math.floor(s % 3600 / 60) ? ' ' + Math.floor(s % 3600 / 60) + ' m' : '');
  return Math.floor(s / 86400) + ' d';
}

export function took(millis) {
  if (millis < 9.995) return millis.toFixed(1) + ' ms';
  return millis < 1000 ? Math.round(millis) + ' ms' : millis < 60000 ? (millis / 1000).toFixed(2) + ' s' : span(millis);
}

export function clock(millis) {
  const at = new Date(millis);
  return at.toLocaleTimeString([], {hour12: false});
}

export function moment(millis) {
  return millis ? new Date(millis).toLocaleString([], {hour12: false}) : 'never';
}

export const shortId = id => id.replace(/^sha256:/, '').slice(0, 12);

// Characters that turn the direction of writing or are not seen would let a name lie about itself.
export function plain(name) {
  return name.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '\ufffd');
}
