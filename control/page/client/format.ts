// Numbers in words.

/** `2d 3h`, `1h 5m`, `59s`: the two largest units. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ');
}

/** `1.2 M`: three digits and a prefix. */
export function formatSi(value: number): string {
  const prefixes = ['', 'k', 'M', 'G', 'T'];
  let scaled = Math.abs(value);
  let step = 0;
  while (scaled >= 999.5 && step < prefixes.length - 1) {
    scaled /= 1000;
    step++;
  }
  const digits = scaled >= 99.95 || Number.isInteger(scaled) ? 0 : scaled < 0.995 ? 2 : 1;
  return `${value < 0 ? '-' : ''}${scaled.toFixed(digits)}${prefixes[step] === '' ? '' : ` ${prefixes[step]}`}`;
}

export function formatCount(value: number): string {
  return value.toLocaleString('en');
}
