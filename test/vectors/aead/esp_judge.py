"""Judges our ESP transforms with scapy's IPsec layer. Reads JSON from stdin: a list of
{crypt, cryptKey, auth, authKey, packet, inner}, hex. For each it decrypts `packet` (ESP, sealed by us) and seals `inner` itself.
Prints a list of {opened, sealed}: the inner packet that it found, or the error, and its own ESP packet."""
import json
import sys

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


json.dump([judge(case) for case in json.load(sys.stdin)], sys.stdout)
