"""What the errors of the API say, in both of its languages.

Messages that were seen on the real service are given to the letter, the others in its manner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Message(NamedTuple):
    """One message in both languages of the API."""

    en: str
    zh: str


def _same(text: str) -> Message:
    """What comes from behind the gateway is English in either language."""
    return Message(text, text)


MESSAGES: Mapping[str, Message] = {
    "ActionOffline": Message("This API is offline.", "接口已下线。"),
    "AuthFailure": Message("Authentication failed.", "CAM签名/鉴权错误。"),
    "AuthFailure.InvalidAuthorization": Message(
        "The `Authorization` header does not conform to the TC3-HMAC-SHA256 standard.",
        "请求头部的 `Authorization` 不符合腾讯云标准。",
    ),
    "AuthFailure.SecretIdNotFound": Message(
        "The SecretId is not found, please ensure that your SecretId is correct.",
        "密钥不存在。请在控制台检查密钥是否已被删除或者禁用，如状态正常，请检查密钥是否填写正确。",
    ),
    "AuthFailure.SignatureExpire": Message(
        "Signature expired, the server time `{server}` and your request time `{yours}` "
        "must not differ by more than 300 seconds.",
        "签名过期，服务器时间 `{server}` 与请求时间 `{yours}` 相差不得超过五分钟，"
        "请检查本地时间是否与标准时间同步。",
    ),
    "AuthFailure.SignatureFailure": Message(
        "The provided credentials could not be validated. Please check your signature is correct.",
        "请求签名验证失败，请检查您的签名计算是否正确。",
    ),
    "AuthFailure.TokenFailure": Message(
        "Token verification failed, please check that it is correct and has not expired.",
        "token 验证失败，请检查 token 是否正确或已过期。",
    ),
    "AuthFailure.UnauthorizedOperation": Message(
        "The request is not authorized. Please check the CAM policies of the account.",
        "请求未授权，请检查 CAM 策略。",
    ),
    "FailedOperation": Message("Operation failed.", "操作失败。"),
    "FailedOperation.FrequencyCheckRisk": Message(
        "30 or more instances of this region were deleted within five minutes.",
        "删除实例频次校验被判定为高风险，请检查业务或稍后重试。",
    ),
    "FailedOperation.InvalidLBStatus": Message("The LB status is abnormal.", "LB状态异常。"),
    "FailedOperation.ResourceInOperating": _same(
        "Loadbalancer({lb}) is not in normal desState, "
        "maybe some tasks are being processed, please try later."
    ),
    "FailedOperation.TargetNumCheckRisk": Message(
        "20 or more targets are bound; pass ForceDelete to delete all the same.",
        "删除实例规则数校验被判定为高风险，如需强行删除请传强制校验参数ForceDelete为true。",
    ),
    "FailedOperation.TrafficCheckRisk": Message(
        "There is traffic of more than 10 Mbps; pass ForceDelete to delete all the same.",
        "删除实例流量校验被判定为高风险，如需强行删除请传强制校验参数ForceDelete为true。",
    ),
    "InternalError": Message("An internal error has occurred.", "内部错误。"),
    "InvalidAction": Message(
        "The request action=`{action}` is invalid or not found.",
        "接口 `{action}` 不存在。",
    ),
    "InvalidParameter": Message("Invalid parameter.", "参数错误。"),
    "InvalidParameter.ClientTokenLimitExceeded": Message(
        "The ClientToken has expired.", "当前ClientToken已经超时过期。"
    ),
    "InvalidParameter.FormatError": Message("Wrong parameter format.", "参数格式错误。"),
    "InvalidParameter.InvalidFilter": Message(
        "The filter `{name}` is not supported.", "查询参数 `{name}` 错误。"
    ),
    "InvalidParameter.LBIdNotFound": _same("LB not exist: {lb}"),
    "InvalidParameter.ListenerIdNotFound": _same("some ListenerId {listener} not found"),
    "InvalidParameter.LocationNotFound": _same("some Location {location} not found"),
    "InvalidParameter.PortCheckFailed": _same("Port {port} of {lb} is in use already"),
    "InvalidParameter.ProtocolCheckFailed": _same("Listener protocol {protocol} cannot do this"),
    "InvalidParameter.RegionNotFound": Message("Invalid region.", "地域无效。"),
    "InvalidParameter.WebIdentityTokenError": Message(
        "The web identity token is wrong.", "身份令牌错误。"
    ),
    "InvalidParameter.OverTimeError": Message("The token has expired.", "身份令牌已过期。"),
    "InvalidParameterCombination": Message("Invalid parameter combination.", "无效参数组合"),
    "InvalidParameterValue": Message(
        "The value of `{name}` is not valid.", "参数 `{name}` 取值错误。"
    ),
    "InvalidParameterValue.Duplicate": Message(
        "Duplicate value in `{name}`.", "参数 `{name}` 的值有重复。"
    ),
    "InvalidParameterValue.Length": Message(
        "Length of .{name} should be less than {bound}", "参数 `{name}` 长度错误。"
    ),
    "InvalidParameterValue.Range": Message(
        "The value of `{name}` is not within {low} to {high}.", "参数 `{name}` 取值范围错误。"
    ),
    "InvalidRequest": Message("The request body is not a JSON object.", "请求 body 格式不合法。"),
    "LimitExceeded": Message(
        "The quota {name} of {limit} is exceeded.", "超过配额限制 {name}：{limit}。"
    ),
    "MissingParameter": Message(
        "The request is missing a required parameter `{name}`.", "缺少参数 `{name}`。"
    ),
    "NoSuchVersion": Message(
        "The version `{version}` of the API does not exist.", "接口版本 `{version}` 不存在。"
    ),
    "OperationDenied": Message("The operation is denied.", "操作被拒绝。"),
    "RequestLimitExceeded": Message(
        "Your current request times equals to `{count}` in a second, which exceeds the frequency "
        "limit `{limit}` for a second. Please reduce the frequency of calls.",
        "您当前每秒请求 `{count}` 次，超过了每秒频率上限 `{limit}`，请稍后重试。",
    ),
    "RequestSizeLimitExceeded": Message(
        "The request is larger than 10 MB.", "请求包超过限制大小。"
    ),
    "ResourceInsufficient": Message("Insufficient resources.", "资源不足。"),
    "ResourceInUse": Message("The resource is in use.", "资源被占用。"),
    "ResourceNotFound": Message("The resource does not exist.", "资源不存在。"),
    "ResourceUnavailable": Message("The resource is unavailable.", "资源不可用。"),
    "ResourcesSoldOut": Message("The resource is sold out.", "资源售罄。"),
    "ServiceUnavailable": Message("The service is unavailable for now.", "当前服务暂时不可用。"),
    "UnauthorizedOperation": _same(
        "you are not authorized to perform operation (clb:{action}) "
        "resource ({resource}) has no permission"
    ),
    "UnknownParameter": Message(
        "The parameter `{name}` is not recognized.", "参数 `{name}` 无法识别。"
    ),
    "UnsupportedOperation": Message("The operation is not supported.", "操作不支持。"),
    "UnsupportedProtocol": Message("The HTTP method is not supported.", "请求协议不支持。"),
    "UnsupportedRegion": Message(
        "The region `{region}` is not supported.", "接口不支持所传地域 `{region}`。"
    ),
}
