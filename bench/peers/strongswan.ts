// strongSwan with kernel-libipsec: ESP in UDP by a thread pool in charon, through a TUN. IKEv2 with a pre-shared key, one child SA.

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Background, run, runDirectory, write } from '../machine.js';
import { other, type Side, sideOf, sides } from '../topology.js';

const plugins =
  'random nonce openssl aes sha1 sha2 hmac gcm kdf curve25519 pem pkcs1 pubkey x509 kernel-libipsec kernel-netlink socket-default vici updown';

function daemonText(directory: string): string {
  return `charon {
  load_modular = no
  load = ${plugins}
  filelog {
    bench {
      path = ${directory}/charon.log
      default = 1
      flush_line = yes
    }
  }
  plugins {
    vici {
      socket = unix://${directory}/vici
    }
  }
}
swanctl {
  load = pem pkcs1 x509 openssl random
}
`;
}

function connectionText(side: Side, proposal: string): string {
  const far = other(side);
  return `connections {
  bench {
    version = 2
    local_addrs = ${sideOf[side].wan}
    remote_addrs = ${sideOf[far].wan}
    proposals = aes256-sha256-x25519
    encap = yes
    local {
      auth = psk
      id = gw${side}
    }
    remote {
      auth = psk
      id = gw${far}
    }
    children {
      bench {
        local_ts = ${sideOf[side].net}
        remote_ts = ${sideOf[far].net}
        esp_proposals = ${proposal}
        rekey_time = 0
        start_action = none
      }
    }
  }
}
secrets {
  ike-bench {
    id-1 = gwA
    id-2 = gwB
    secret = "for this benchmark only"
  }
}
`;
}

/** @param proposal of the child SA, e.g. `aes256gcm16` */
export async function startStrongswan(proposal: string): Promise<void> {
  const swanctl = async (side: Side, ...words: string[]) => {
    const directory = join(runDirectory(), `strongswan${side}`);
    const argv = [
      'env',
      `STRONGSWAN_CONF=${directory}/strongswan.conf`,
      'timeout',
      '20',
      'swanctl',
      ...words,
      '--uri',
      `unix://${directory}/vici`,
    ];
    const { status, stdout, stderr } = await run(argv);
    if (status !== 0) throw new Error(`swanctl ${words[0]}: ${(stderr || stdout).trim().slice(0, 400)}`);
    return stdout;
  };
  for (const side of sides) {
    const directory = join(runDirectory(), `strongswan${side}`);
    rmSync(directory, { recursive: true, force: true }); // an earlier round's socket
    mkdirSync(directory);
    const settings = write(`strongswan${side}/strongswan.conf`, daemonText(directory));
    write(`strongswan${side}/swanctl.conf`, connectionText(side, proposal));
    // `ip netns exec` gave it a mount namespace of its own, so two of them can each have a /run for charon.pid.
    const charon = 'mount -t tmpfs tmpfs /run && exec /usr/lib/ipsec/charon';
    const background = new Background(`gw${side}`, `strongswan${side}`, ['sh', '-c', charon], { STRONGSWAN_CONF: settings });
    await background.ready(() => existsSync(join(directory, 'vici')));
    await swanctl(side, '--load-all', '--file', join(directory, 'swanctl.conf'));
  }
  await swanctl('A', '--initiate', '--child', 'bench');
}
