"""The closed lists of the protocol. Source: OpenDSR 2.0, sections 5.1, 5.2, 6.2 and 7.1.1."""

from enum import StrEnum


class Regulation(StrEnum):
    """Under which law the person asked."""

    GDPR = "gdpr"
    CCPA = "ccpa"


class SubjectRequestType(StrEnum):
    """What the person asked for."""

    ACCESS = "access"
    PORTABILITY = "portability"
    ERASURE = "erasure"


class IdentityType(StrEnum):
    """What kind of identifier names the person."""

    CONTROLLER_CUSTOMER_ID = "controller_customer_id"
    ANDROID_ADVERTISING_ID = "android_advertising_id"
    ANDROID_ID = "android_id"
    EMAIL = "email"
    FIRE_ADVERTISING_ID = "fire_advertising_id"
    IOS_ADVERTISING_ID = "ios_advertising_id"
    IOS_VENDOR_ID = "ios_vendor_id"
    MICROSOFT_ADVERTISING_ID = "microsoft_advertising_id"
    MICROSOFT_PUBLISHER_ID = "microsoft_publisher_id"
    ROKU_PUBLISHER_ID = "roku_publisher_id"
    ROKU_ADVERTISING_ID = "roku_advertising_id"


class IdentityFormat(StrEnum):
    """How the identifier is written: in clear, or as the hexadecimal digest of it."""

    RAW = "raw"
    SHA1 = "sha1"
    MD5 = "md5"
    SHA256 = "sha256"
