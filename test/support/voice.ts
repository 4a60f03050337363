// Voice as a phone sends it, 64 kbit/s in a datagram every 20 ms, in Python: how many were lost and how long each took. The clock is the kernel's, which all
// namespaces have.

import type { Host, Lab } from './lab.js';
import { type Background, until } from './netns.js';

const sender = `
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
begin = time.monotonic()
for n in range(int(sys.argv[3])):
    wait = begin + n / 50 - time.monotonic()
    if wait > 0: time.sleep(wait)
    s.sendto(struct.pack('!Id', n, time.monotonic()) + b'v' * 148, (sys.argv[1], int(sys.argv[2])))
for n in range(20):
    time.sleep(0.1)
    s.sendto(b'end', (sys.argv[1], int(sys.argv[2])))
`;

/** Times are the kernel's, when the datagram came: the process may get no CPU for a while. */
const receiver = `
import socket, struct, sys, time, json
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 35, 1) # SO_TIMESTAMPNS
s.bind(('0.0.0.0', int(sys.argv[1])))
print('ready', flush=True)
offset = min(time.time() - time.monotonic() for _ in range(1000))
delays = {}
while True:
    data, ancillary, _, _ = s.recvmsg(2048, 1024)
    seconds, nanos = struct.unpack('qq', ancillary[0][2][:16])
    if data == b'end': break
    n, sent = struct.unpack('!Id', data[:12])
    delays[n] = (seconds + nanos / 1e9 - offset - sent) * 1000
print(json.dumps(list(delays.values())), flush=True)
`;

export class Voice {
  private constructor(
    private readonly sent: number,
    private readonly source: Background,
    private readonly sink: Background,
  ) {}

  /** @param seconds that it lasts @param port UDP, at the receiver */
  static async start(lab: Lab, from: Host, to: Host, seconds: number, port: number): Promise<Voice> {
    const sink = lab.spawn(to, ['/usr/bin/python3', '-c', receiver, String(port)]);
    await sink.says(/ready/);
    const sent = seconds * 50;
    const source = lab.spawn(from, ['/usr/bin/python3', '-c', sender, `10.0.${to.slice(1)}.10`, String(port), String(sent)]);
    return new Voice(sent, source, sink);
  }

  /** Waits for its end. @returns milliseconds that each took, sorted */
  async report(): Promise<{ lost: number; delays: number[] }> {
    await this.source.ended;
    await until('the receiver of voice to report', () => !this.sink.running);
    const delays = (JSON.parse(this.sink.stdout.split('\n')[1]) as number[]).sort((a, b) => a - b);
    return { lost: this.sent - delays.length, delays };
  }
}

/** @param sorted ascending */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}
