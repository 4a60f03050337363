// The exact size that fits, for every transform: what hosts are told, what they get through, and what the router says of itself are one number.
//
//   h1 10.0.1.10 -- r1 172.16.1.2 --- core, 1500 bytes --- 172.16.2.2 r2 -- 10.0.2.10 h2          r4 key server: another transform each time
//
//   h1 :: ping -M do with the largest size, and one byte more :: passes; does not, and its kernel is told that size
//   h1 :: tracepath                                           :: pmtu is that size
//   r1 :: show crypto ipsec sa                                :: plaintext mtu is that size

import t from 'tap';
import { Lab, substitute } from '../support/lab.js';
import { tellLosses } from '../support/losses.js';
import { until } from '../support/netns.js';
import { withTransform } from './decrypt-case.js';

/** Largest inner packet on a path of 1500 bytes, and with the 12 bytes of time-based anti-replay: floor((1500 - 20 - 8 - IV - ICV) / block) * block - 2. */
const transforms: readonly [text: string, largest: number, timed: number][] = [
  ['esp-aes esp-sha-hmac', 1438, 1426],
  ['esp-aes 256 esp-sha256-hmac', 1438, 1426],
  ['esp-aes 192 esp-sha384-hmac', 1422, 1410],
  ['esp-aes 256 esp-sha512-hmac', 1422, 1410],
  ['esp-3des esp-sha-hmac', 1446, 1434],
  ['esp-3des esp-md5-hmac', 1446, 1434],
  ['esp-gcm 256', 1446, 1434],
  ['esp-gmac 128', 1446, 1434],
  ['esp-chacha20-poly1305', 1446, 1434],
  ['esp-null esp-sha-hmac', 1458, 1446],
];

interface Sas {
  ipsec: { flows: { plaintextMtu: number; outboundSpi: number }[] }[];
}

t.test('the exact inner MTU of every transform', async (t) => {
  const lab = await Lab.up({ start: ['r1', 'r2', 'r4'] });
  t.teardown(() => lab.down());
  const flowOf = async (router: 'r1' | 'r2') => ((await lab.show(router, 'crypto ipsec sa')) as Sas).ipsec[0].flows[0];
  let spi = (await flowOf('r1')).outboundSpi;

  /** The key server's next policy in force at both members, and the hosts' kernels without what they have learnt. */
  const change = async (edit: (text: string) => string) => {
    const from = lab.log('r4').length;
    lab.configure('r4', edit);
    lab.reload('r4');
    await lab.logs('r4', /SYS-5-RELOAD/, 30_000, from);
    await lab.groupwire('r4', 'exec', 'crypto gdoi ks rekey replace-now');
    await until('the next TEK at both members', async () => {
      const [a, b] = await Promise.all([flowOf('r1'), flowOf('r2')]);
      return a.outboundSpi !== spi && a.outboundSpi === b.outboundSpi;
    });
    spi = (await flowOf('r1')).outboundSpi;
    // What control shows is in force at the dataplanes a moment later.
    try {
      await until('an answer under it', async () => (await lab.run('h1', ['ping', '-c', '1', '-W', '1', '10.0.2.10'])).status === 0);
    } catch (error) {
      const spis = await Promise.all((['r1', 'r2'] as const).map(async (router) => (await flowOf(router)).outboundSpi));
      throw new Error(`${(error as Error).message} after SPI ${spi}; now ${spis.join(' and ')}; dropped: ${await tellLosses(lab)}`);
    }
    await lab.sh('h1', 'ip route flush cache');
  };

  /** By whom the largest size is told; `passed`: of echoes with it, and with a byte more. */
  const seen = async (largest: number) => {
    const ping = (size: number) => `ping -n -c 1 -W 2 -M do -s ${size - 28} 10.0.2.10`;
    const passed = await lab.run('h1', ['sh', '-c', ping(largest)]);
    const told = await lab.run('h1', ['sh', '-c', ping(largest + 1)]);
    const path = await lab.sh('h1', 'tracepath -n -m 5 10.0.2.10');
    return {
      passed: passed.status,
      told: Number(/mtu ?= ?(\d+)/.exec(told.stdout + told.stderr)?.[1]),
      tracepath: Number(/Resume: pmtu (\d+)/.exec(path)?.[1]),
      plaintext: (await flowOf('r1')).plaintextMtu,
    };
  };
  const all = (largest: number) => ({ passed: 0, told: largest, tracepath: largest, plaintext: largest });

  for (const [text, largest, timed] of transforms) {
    await change((config) => substitute(withTransform(config, text), /replay .* window-size \d+/, 'replay counter window-size 64'));
    t.strictSame(await seen(largest), all(largest), text);
    await change((config) => substitute(config, /replay .* window-size \d+/, 'replay time window-size 5'));
    t.strictSame(await seen(timed), all(timed), `${text} with time-based anti-replay`);
  }
});
