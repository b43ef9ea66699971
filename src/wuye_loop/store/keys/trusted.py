"""The installation's keys, tried on what they have sealed before anything goes by them."""

from uuid import UUID

from wuye_loop.domain.errors import KeyRingBroken, SealBroken
from wuye_loop.domain.privacy.sealing import Sealed
from wuye_loop.settings import Settings
from wuye_loop.store.grievance import identity
from wuye_loop.store.keys import keyring
from wuye_loop.store.keys.keyring import Rings


def trusted(settings: Settings, sealed: tuple[UUID, Sealed] | None) -> Rings:
    """Return the key ring, tried on one of the complainants it has sealed, if there is any.

    Raises KeyRingBroken when identities are stored that it cannot open: a new ring would hide that the old one is lost.
    """
    if sealed is not None and settings.master_key is None and not settings.keys.exists():
        raise KeyRingBroken(f"身份密钥 {settings.keys} 不见了，库里的诉求人身份都由它封存；请从备份恢复，不要另建")
    rings = keyring.rings(settings)
    if sealed is not None:
        try:
            identity.opened(rings.ring, *sealed)
        except SealBroken as error:
            raise KeyRingBroken(f"身份密钥打不开库里封存的身份：{error.detail}；请换回原来的密钥") from None
    return rings
