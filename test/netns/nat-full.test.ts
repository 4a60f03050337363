// NAT without room, in real networks: `ip nat translation max-entries` small.
//
//   h 10.0.1.10 -- 10.0.1.1 r 203.0.113.2 -- 203.0.113.10 s
//
//   h :: TCP to s, as many connections as there may be sessions :: all work; one more UDP flow: EACCES from an ICMP 3/13 of the router
//   r :: log, show ip nat statistics :: one message, counted drops
//   h :: the connections again :: all of them still work; one closed and expired makes room

import t from 'tap';
import { Netns } from '../support/netns.js';
import { SingleRouter } from '../support/single-router.js';

const entries = 8;
const configuration = `hostname r
interface GigabitEthernet0/0
 linux-device eth0
 ip address 10.0.1.1 255.255.255.0
 ip nat inside
interface GigabitEthernet0/1
 linux-device eth1
 ip address 203.0.113.2 255.255.255.0
 ip nat outside
ip access-list standard INSIDE
 permit 10.0.1.0 0.0.0.255
ip nat inside source list INSIDE interface GigabitEthernet0/1 overload
ip nat translation max-entries ${entries}
ip nat translation finrst-timeout 1
end
`;

const server = `
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('203.0.113.10', 8080)); s.listen(50)
print('listening', flush=True)
import threading
def serve(c):
    while True:
        data = c.recv(100)
        if not data: break
        c.send(data)
    c.close()
while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
`;

const client = `
import json, socket, sys, time
def say(c, word):
    c.send(word)
    return c.recv(100) == word
def connect():
    c = socket.create_connection(('203.0.113.10', 8080), 20)
    return c
links = [connect() for _ in range(${entries})]
first = all(say(c, b'one') for c in links)
refused = 0
for port in range(20):
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.settimeout(5)
    u.connect(('203.0.113.10', 9000 + port))
    try:
        u.send(b'x')
        u.recv(1)
    except OSError as e:
        refused += e.errno == 113
still = all(say(c, b'two') for c in links)
links.pop().close()
deadline = time.monotonic() + 25
room = False
while not room and time.monotonic() < deadline:
    time.sleep(0.3)
    try:
        room = say(connect(), b'three')
    except OSError:
        pass
print(json.dumps({'first': first, 'refused': refused, 'still': still, 'room': room, 'after': all(say(c, b'four') for c in links)}))
`;

t.test('no room', async (t) => {
  const netns = new Netns();
  t.teardown(() => netns.remove());
  await netns.add('h', 'r', 's');
  await netns.veth('h', 'eth0', '10.0.1.10/24', 'r', 'eth0', null);
  await netns.veth('r', 'eth1', null, 's', 'eth0', '203.0.113.10/24');
  await netns.sh('h', 'ip route add default via 10.0.1.1');
  const router = SingleRouter.start(netns, 'r', configuration);
  t.teardown(() => router.stop());
  const serving = netns.spawn('s', ['python3', '-c', server]);
  t.teardown(() => serving.stop());
  await serving.says(/listening/);
  await router.ready();
  const seen = JSON.parse(await netns.sh('h', `python3 -c "${client}"`)) as Record<string, unknown>;
  t.same({ ...seen, refused: 0 }, { first: true, refused: 0, still: true, room: true, after: true });
  t.ok((seen.refused as number) > 0 && (seen.refused as number) <= 20, `${seen.refused} flows were told that there is no room`);
  await router.logs(/MAX_ENTRIES: NAT: no more translations may be made .*first 10\.0\.1\.10 to 203\.0\.113\.10; \d+ packets/);
  t.equal([...(await router.groupwire('show', 'logging')).matchAll(/MAX_ENTRIES/g)].length, 1, 'one message');
  const { drops } = (await router.show('ip nat statistics')) as { drops: { name: string; value: number }[] };
  t.ok((drops.find(({ name }) => name === 'nat_full')?.value ?? 0) >= 20, 'the drops are counted');
});
