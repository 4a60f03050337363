"""Judges our ESP transforms with scapy's IPsec layer, and GMAC (RFC 4543), which that does not have, with pycryptodome's GCM. Reads JSON from stdin: a list of
{crypt, cryptKey, auth, authKey, packet, inner}, hex. For each it decrypts `packet` (ESP, sealed by us) and seals `inner` itself.
Prints a list of {opened, sealed}: the inner packet that it found, or the error, and its own ESP packet."""
import json
import sys

from Cryptodome.Cipher import AES
from scapy.layers.inet import IP
from scapy.layers.ipsec import ESP, SecurityAssociation


def judge(case):
    key = bytes.fromhex
    inner = IP(key(case['inner']))

    def association():
        return SecurityAssociation(
            ESP, spi=int(case['packet'][:8], 16), seq_num=7, crypt_algo=case['crypt'], crypt_key=key(case['cryptKey']),
            auth_algo=case['auth'], auth_key=key(case['authKey']) or None,
            tunnel_header=IP(src=inner.src, dst=inner.dst))

    outer = IP(src=inner.src, dst=inner.dst, proto=50) / key(case['packet'])
    try:
        opened = bytes(association().decrypt(IP(bytes(outer)))).hex()
    except Exception as error:  # the verdict is the test's to show
        opened = repr(error)
    sealed = bytes(association().encrypt(inner)[ESP]).hex()
    return {'opened': opened, 'sealed': sealed}


def judge_gmac(case):
    secret, packet, inner = (bytes.fromhex(case[name]) for name in ('cryptKey', 'packet', 'inner'))

    def tag(covered):  # SPI, sequence number, IV, text
        return AES.new(secret[:-4], AES.MODE_GCM, nonce=secret[-4:] + covered[8:16]).update(covered).digest()

    trailer = packet[-18:-16]
    opened = packet[16:-18 - trailer[0]].hex() if tag(packet[:-16]) == packet[-16:] else 'wrong ICV'
    padding = bytes(range(1, 1 + -(len(inner) + 2) % 4))
    covered = packet[:8] + bytes(range(8)) + inner + padding + bytes([len(padding), 4])
    return {'opened': opened, 'sealed': (covered + tag(covered)).hex()}


json.dump([judge_gmac(case) if case['crypt'] == 'GMAC' else judge(case) for case in json.load(sys.stdin)], sys.stdout)
