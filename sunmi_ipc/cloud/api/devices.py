"""``cloud.devices``: the cameras of a shop or a company."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from ...protocol.fields import Wire
from ...protocol.spec import Group
from ..fields import CameraName, CompanyNo, IpcId, IpcSn, Mac
from ..spec import COMMON, endpoint

if TYPE_CHECKING:
    from ..models import CameraInfo, CameraList

_NOT_IN_DATABASE = (
    "the service's database does not have the camera",
    "'ipc cloud devices' lists the shop's cameras.",
)


class Devices(Group, name="devices", api="cloud"):
    """The cameras of a shop or a company."""

    @endpoint("device/ipc/getList")
    def list(self) -> CameraList:
        """List the cameras of the shop."""

    @endpoint(
        "device/ipc/getListByCompany",
        shop=False,
        meanings={5041: ("the company is not bound to this app", "Check the company's number.")},
    )
    def list_by_company(self, company_no: Annotated[CompanyNo, Wire("sunmi_company_no")]) -> CameraList:
        """List the cameras of all shops of a company."""

    @endpoint("device/ipc/getInfo", codes=COMMON | {5501})
    def info(self, ipc_sn: IpcSn | None = None, ipc_id: IpcId | None = None) -> CameraInfo:
        """Read what the cloud knows of a camera."""

    @endpoint(
        "device/ipc/updateName",
        codes=COMMON | {5011, 5501, 5506, 5510},
        meanings={5506: _NOT_IN_DATABASE},
    )
    def rename(self, ipc_name: CameraName, ipc_sn: IpcSn | None = None, ipc_id: IpcId | None = None) -> None:
        """Give a camera another name."""

    @endpoint(
        "device/ipc/bind",
        codes=COMMON | {5020, 5079, 5501, 5509},
        meanings={
            5013: (
                "the company or the shop is not the camera's, or not valid",
                "Check the shop number (SUNMI_IPC_SHOP_NO).",
            )
        },
    )
    def bind(self, ipc_sn: IpcSn, mac: Mac) -> None:
        """Bind a camera to the shop; serial number and MAC stand on its label."""

    @endpoint(
        "device/ipc/unbind",
        codes=COMMON | {5020, 5501, 5510},
        destroys="the camera's place in the shop: the cloud shows and counts nothing of it any more",
    )
    def unbind(self, ipc_sn: IpcSn | None = None, ipc_id: IpcId | None = None) -> None:
        """Take a camera out of the shop."""
