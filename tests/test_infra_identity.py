"""Officers' accounts: made by an administrator, with a second factor, and good for tokens that the service takes."""

from pathlib import Path
from typing import Any

import yaml

from chalicelib.identity import ROLES

TEMPLATE = yaml.safe_load((Path(__file__).parents[1] / "infra" / "identity.yaml").read_text())
RESOURCES = TEMPLATE["Resources"]
POOL = RESOURCES["Officers"]["Properties"]
DESK = RESOURCES["Desk"]["Properties"]


def test_nobody_signs_up_or_recovers_an_account_without_an_administrator() -> None:
    assert POOL["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert [way["Name"] for way in POOL["AccountRecoverySetting"]["RecoveryMechanisms"]] == ["admin_only"]


def test_everybody_has_a_long_password_and_a_second_factor_that_is_no_phone_number() -> None:
    assert (POOL["MfaConfiguration"], POOL["EnabledMfas"]) == ("ON", ["SOFTWARE_TOKEN_MFA"])
    assert POOL["Policies"]["PasswordPolicy"]["MinimumLength"] >= 14


def test_accounts_outlive_the_stack() -> None:
    assert RESOURCES["Officers"]["DeletionPolicy"] == RESOURCES["Officers"]["UpdateReplacePolicy"] == "Retain"
    assert POOL["DeletionProtection"] == "ACTIVE"


def test_an_officer_is_named_as_chosen() -> None:
    assert not {"UsernameAttributes", "AliasAttributes"} & set(POOL)  # with these the token has a number for a name


def test_each_role_is_a_group() -> None:
    groups = [one["Properties"]["GroupName"] for one in RESOURCES.values() if one["Type"].endswith("UserPoolGroup")]
    assert sorted(groups) == sorted(ROLES)


def test_the_desk_gets_tokens_by_a_code_without_a_secret_and_without_seeing_a_password() -> None:
    assert DESK["GenerateSecret"] is False
    assert DESK["AllowedOAuthFlows"] == ["code"] and DESK["AllowedOAuthFlowsUserPoolClient"] is True
    assert DESK["ExplicitAuthFlows"] == ["ALLOW_REFRESH_TOKEN_AUTH"]
    assert set(DESK["AllowedOAuthScopes"]) == {"openid", "profile", "email"}
    assert DESK["PreventUserExistenceErrors"] == "ENABLED"


def test_a_token_lasts_for_minutes_a_session_for_a_shift_and_a_session_can_be_ended() -> None:
    units = {"minutes": 1, "hours": 60, "days": 24 * 60}
    minutes = {name: DESK[f"{name}Validity"] * units[unit] for name, unit in DESK["TokenValidityUnits"].items()}
    assert minutes["AccessToken"] <= 30 and minutes["IdToken"] <= 30
    assert minutes["RefreshToken"] <= 12 * 60
    assert DESK["EnableTokenRevocation"] is True


def test_the_outputs_are_what_tokens_say() -> None:
    outputs = {name: output["Value"] for name, output in TEMPLATE["Outputs"].items()}
    issuer = outputs["Issuer"]["Fn::Sub"].replace("${AWS::Region}", "eu-west-2").replace("${Officers}", "eu-west-2_Abc")
    assert issuer == "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Abc"
    assert outputs["Audience"] == {"Ref": "Desk"}
    assert "UserPoolId" in outputs


def test_officers_come_back_to_where_the_desk_expects_them(app_module: Any) -> None:
    desk = "https://report.example.com/desk"
    back = {name: [address["Fn::Sub"].replace("${DeskUrl}", desk) for address in DESK[name]]
            for name in ("CallbackURLs", "LogoutURLs")}  # fmt: skip
    assert back == {"CallbackURLs": [f"{desk}/signed-in"], "LogoutURLs": [f"{desk}/signed-out"]}
    assert {"/desk/signed-in", "/desk/signed-out"} <= set(app_module.app.routes)
