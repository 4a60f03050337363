// What an independent client (natdiscovery of coturn, RFC 5780) says of our NAT: the classes that dataplane/README.md states.
//
//   h1 10.0.1.10 and 10.0.1.11 -- r1 (PAT) -- core -- inet 198.51.100.10 and .11, each with the ports 3478 and 3479: a STUN server
//
//   10.0.1.10 :: natdiscovery -m -f :: the port is kept towards all four, so the mapping looks endpoint-independent; filtering by address and port
//   10.0.1.11 :: the same, from a port that 10.0.1.10 has towards the first of the four :: another port there than towards the others: by address and port

import t from 'tap';
import { Lab } from '../support/lab.js';
import { until } from '../support/netns.js';

t.test('RFC 5780 discovery', async (t) => {
  const lab = await Lab.up({ start: ['r1', 'r4'] });
  t.teardown(() => lab.down());
  await lab.sh('inet', 'ip address add 198.51.100.11/24 dev eth0');
  await lab.sh('h1', 'ip address add 10.0.1.11/24 dev eth0');
  const options = '-n -S -z -L 198.51.100.10 -L 198.51.100.11 --no-tls --no-dtls --no-cli --log-file stdout --pidfile /dev/null'.split(' ');
  lab.spawn('inet', ['turnserver', ...options]);
  await until('the STUN server', async () => (await lab.sh('inet', 'ss -Hlun')).includes('198.51.100.11:3479'));
  const discover = async (address: string, port: number, ...what: string[]): Promise<string> => {
    const { stdout, stderr } = await lab.run(
      'h1',
      ['turnutils_natdiscovery', ...what, '-L', address, '-l', String(port), '198.51.100.10'],
      60_000,
    );
    return stdout + stderr;
  };
  t.match(await discover('10.0.1.10', 5000, '-m'), /Endpoint Independent Mapping/, 'the port is kept');
  t.match(await discover('10.0.1.10', 5001, '-f'), /Address and Port Dependent Filtering/);
  await lab.sh(
    'h1',
    `python3 -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('10.0.1.10', 5002)); s.sendto(b'x', ('198.51.100.10', 3478))"`,
  );
  const second = await discover('10.0.1.11', 5002, '-m');
  t.match(second, /Dependent Mapping/, 'a port that is taken for one of the peers');
  t.notMatch(second, /Endpoint Independent Mapping/);
});
