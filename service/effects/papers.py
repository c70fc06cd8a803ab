"""What is handed in at 1099Policy: certificates, and invoices of final pay."""

from domain import commands as c
from domain import effects as x
from service.clients.http import VendorRefused
from service.effects.desk import Desk
from service.effects.lost import made_before
from service.ports import Claimed


async def upload_certificate(
    effect: x.UploadCertificate, claimed: Claimed, desk: Desk
) -> c.ConfirmCertificateUploaded:
    content = await desk.store.file(effect.sha256)
    if content is None:
        raise VendorRefused(
            vendor="coverd", what="the certificate", why="its file is not in the store", status=404
        )
    certificate = await made_before(effect, claimed, desk)
    if certificate is None:
        certificate = await desk.ten99policy.upload_certificate(
            effect.engagement_id, effect.contractor_id, effect.file_name, content, claimed.key
        )
    return c.ConfirmCertificateUploaded(desk.now(), str(certificate["id"]), effect.sha256)


async def record_invoice(effect: x.RecordInvoice, claimed: Claimed, desk: Desk) -> c.ConfirmInvoice:
    invoice = await made_before(effect, claimed, desk)
    if invoice is None:
        invoice = await desk.ten99policy.create_invoice(effect, claimed.key)
    return c.ConfirmInvoice(desk.now(), effect.key, str(invoice["id"]))
