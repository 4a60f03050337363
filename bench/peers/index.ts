// One more peer: a line in names.ts, and here the function that starts it on a topology that is up and has no VPN yet. It returns when
// the peer has been started; that packets pass, and pass encrypted, is checked by the caller. Whatever lives in the namespaces of the
// gateways counts as the peer, and is ended with them.

import { startBound, startKernel, startLoop } from './bounds.js';
import { startGroupwire } from './groupwire.js';
import { startOpenvpn } from './openvpn.js';
import { startStrongswan } from './strongswan.js';
import { startWireguardGo } from './wireguard-go.js';

export const startPeer: Record<string, () => Promise<void>> = {
  groupwire: () => startGroupwire({ transforms: 'esp-gcm 256' }),
  'groupwire-fast': () => startGroupwire({ transforms: 'esp-gcm 256', inside: 'packet', outside: 'xdp' }),
  strongswan: () => startStrongswan('aes256gcm16'),
  'wireguard-go': startWireguardGo,
  openvpn: startOpenvpn,
  kernel: startKernel,
  loop: startLoop,
  bound: startBound,
  'groupwire-2': () => startGroupwire({ transforms: 'esp-gcm 256', inside: 'packet', outside: 'xdp', workers: 2 }),
  'groupwire-gre': () => startGroupwire({ transforms: 'esp-gcm 256', tunnel: true }),
  'groupwire-fast-gre': () => startGroupwire({ transforms: 'esp-gcm 256', inside: 'packet', outside: 'xdp', tunnel: true }),
  'groupwire-udp': () => startGroupwire({ transforms: 'esp-gcm 256', udp: true }),
  'groupwire-udp-tun': () => startGroupwire({ transforms: 'esp-gcm 256', udp: true, outside: 'tun' }),
  'groupwire-fast-udp': () => startGroupwire({ transforms: 'esp-gcm 256', inside: 'packet', outside: 'xdp', udp: true }),
  'groupwire-fast-udp-tun': () => startGroupwire({ transforms: 'esp-gcm 256', inside: 'packet', outside: 'tun', udp: true }),
  'groupwire-gdoi-udp': () => startGroupwire({ transforms: 'esp-gcm 256', groupUdp: true }),
  'groupwire-gdoi-udp-tun': () => startGroupwire({ transforms: 'esp-gcm 256', groupUdp: true, outside: 'tun' }),
  'groupwire-fast-gdoi-udp-tun': () => startGroupwire({ transforms: 'esp-gcm 256', inside: 'packet', outside: 'tun', groupUdp: true }),
  'groupwire-3des': () => startGroupwire({ transforms: 'esp-3des esp-sha-hmac' }),
  'groupwire-aes128': () => startGroupwire({ transforms: 'esp-aes 128 esp-sha-hmac' }),
  'strongswan-3des': () => startStrongswan('3des-sha1'),
  'strongswan-aes128': () => startStrongswan('aes128-sha1'),
};
