"""TLS of the proxy itself: with a certificate that was given, or one made here.

Owns: the context the listener serves with, and the self-made certificate with its key. Not here: TLS towards the API
(`upstream`). Invariant: others cannot read a key we made, and a certificate that ends within a month, or is not for the
host that is listened on, is made again.

Python's and Go's Live clients always speak TLS (wire.md 10), so that a proxy for them has to.
"""

import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from gembill.config import Settings
from gembill.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

SELF_MADE = "self"
_FILE = "tls.pem"  # certificate and key, so that the two cannot be of different makings
_DAYS = 365
_RENEW = timedelta(days=30)
_LOCAL = ("localhost", "127.0.0.1", "::1")


def server_context(settings: Settings) -> ssl.SSLContext | None:
    """What the listener serves with; None without TLS. ConfigurationError for files that cannot be used."""
    certificate, key = settings.tls_cert, settings.tls_key
    if settings.tls == SELF_MADE:
        if certificate is not None or key is not None:
            raise ConfigurationError("tls is self, which makes a certificate; leave tls_cert and tls_key out with it")
        certificate = _self_made(settings.data_folder, settings.host)
    elif key is not None and certificate is None:
        raise ConfigurationError("tls_key is given and tls_cert is not: name the certificate of that key, too")
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        named = f"{certificate} and {key}" if key else str(certificate)
        raise ConfigurationError(f"{named} cannot be used for TLS: {error.strerror or error}") from None
    return context


def how_to_trust(settings: Settings) -> str | None:
    """One line about a self-made certificate; None where there is none."""
    if settings.tls != SELF_MADE:
        return None
    path = quote(str(settings.data_folder / _FILE))
    return f"trust it with SSL_CERT_FILE={path} (Python, Go, curl) or NODE_EXTRA_CA_CERTS={path} (Node)"


def _self_made(folder: Path, host: str) -> Path:
    path = folder / _FILE
    try:
        if not _is_good(path, host):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, _make(sorted({*_LOCAL, host})))
    except OSError as error:
        raise ConfigurationError(f"the certificate {path} can be neither read nor made: {error.strerror}") from None
    return path


def _is_good(path: Path, host: str) -> bool:
    from cryptography import x509

    if not path.exists():
        return False
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    lasts = certificate.not_valid_after_utc - datetime.now(UTC) > _RENEW
    return lasts and host in {str(name.value) for name in names}


def _make(names: list[str]) -> bytes:
    """A certificate that signs itself, and its key, as PEM. It is its own authority: clients trust the file itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gembill proxy of this machine")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=_DAYS))
    for extension, critical in _extensions(names, key.public_key()):
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private


def _extensions(names: list[str], key: "ec.EllipticCurvePublicKey") -> "Iterator[tuple[x509.ExtensionType, bool]]":
    """What Python 3.13 asks of an authority (RFC 5280, checked strictly), and the names it is for."""
    from cryptography import x509

    signing = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    yield x509.BasicConstraints(ca=True, path_length=0), True
    yield signing, True
    yield x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), False
    yield x509.SubjectKeyIdentifier.from_public_key(key), False
    yield x509.AuthorityKeyIdentifier.from_issuer_public_key(key), False
    yield x509.SubjectAlternativeName([_general_name(name) for name in names]), False


def _general_name(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, pem: bytes) -> None:
    draft = path.with_suffix(f".{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    draft.replace(path)
