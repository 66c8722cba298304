from tests.deploy.aws.account import Account, left
from deploy.stack import Stack


def test_life(account: Account, full: Stack) -> None:
    d = account.deployment(full)
    d.plan()
    d.up()
    print(account.text)
    account.forget()
    account.deployment(full).up()
    print(account.text)
    print([c.operation for c in account.calls if c.changes])
    account.forget()
    account.deployment(full).status()
    account.deployment(full).env()
    account.deployment(full).plan()
    print(account.text)
    account.forget()
    account.deployment(full).down()
    account.deployment(full).down()
    print(account.text)
    assert left(account) == {}
