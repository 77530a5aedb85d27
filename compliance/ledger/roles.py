"""Makes the database roles in PostgreSQL, hands the ledger to its owner, and grants what role_matrix.py says.

Whatever else one of the roles, or everybody, may do in the schema or with the database as a whole is taken away.
drill.py tries all of it out. SQLite has no roles: nothing happens there.
"""

from collections.abc import Iterable

from django.core.management.base import CommandError
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.migrations.recorder import MigrationRecorder

from compliance.ledger import role_matrix
from compliance.ledger.role_matrix import (
    COLUMN_GRANTS,
    FUNCTION_USERS,
    LEDGER_PREFIX,
    OWNER,
    ROLES,
)

# What PUBLIC has in every new database. Temporary objects come first when names are looked up.
_OF_EVERYBODY = ("CONNECT", "TEMPORARY")

_ADVISORY_LOCK = 0x45787010
_UNDEFINED_OBJECT = "42704"
_INSUFFICIENT_PRIVILEGE = "42501"
# Another database of the same server was migrated at the same moment: both mean that the role is there.
_MADE_BY_ANOTHER = ("42710", "23505")


class RolesError(CommandError):
    """The account that migrates may not set up the roles; the message has the SQL for an administrator."""


def apply(connection: BaseDatabaseWrapper) -> None:
    """Make the roles, hand them the ledger, and grant what the matrix says, and nothing else, on every table there is.

    One transaction; repeating it changes nothing. Raises RolesError with the SQL to run where the account may not.
    """
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        _refuse_strangers(cursor)
        for statement in _wanting(cursor):
            _attempt(cursor, statement)
        _refuse(_wanting(cursor))
        _refuse([sql for sql in _owner_statements(cursor) if not _attempt(cursor, sql)])
        _refuse([sql for sql in _grant_statements(cursor) if not _attempt(cursor, sql)])


def remove(connection: BaseDatabaseWrapper) -> None:
    """The reverse: the tables go to the account that migrates. The roles stay, other databases may use them."""
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        schema = _schema(cursor)
        roles = ", ".join(ROLES)
        for kind, name in _objects(cursor):
            if name.startswith(LEDGER_PREFIX) and kind != "SEQUENCE":
                cursor.execute(f"ALTER {kind} {name} OWNER TO CURRENT_USER")
            if name.startswith(LEDGER_PREFIX) and kind == "FUNCTION":
                cursor.execute(f"GRANT EXECUTE ON FUNCTION {name} TO PUBLIC")
        for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
            cursor.execute(f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM {roles}")
        cursor.execute(f"REVOKE ALL ON SCHEMA {schema} FROM {roles}")
        cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC")
        cursor.execute("SELECT quote_ident(current_database())")
        database = cursor.fetchone()[0]
        cursor.execute(f"REVOKE ALL ON DATABASE {database} FROM {roles}")
        cursor.execute(f"GRANT {', '.join(_OF_EVERYBODY)} ON DATABASE {database} TO PUBLIC")


def follow_the_tables(connection: BaseDatabaseWrapper) -> None:
    """After each `migrate`: tables that are new since then get the grants of the matrix."""
    if ("ledger", "0012_roles") in MigrationRecorder(connection).applied_migrations():
        apply(connection)


def _refuse_strangers(cursor: CursorWrapper) -> None:
    """Roles belong to the whole server. One of these names that can log in is somebody else's."""
    cursor.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND (rolcanlogin OR rolsuper OR rolcreaterole)",
        [list(ROLES)],
    )
    found = [name for (name,) in cursor.fetchall()]
    if found:
        raise RolesError(
            f"Expected group roles that cannot log in, found an account named {', '.join(sorted(found))} on this "
            "server. Rename it (ALTER ROLE … RENAME TO …): its name is needed for a group of rights."
        )


def _wanting(cursor: CursorWrapper) -> list[str]:
    """The statements that roles, membership and schema still need."""
    cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(ROLES)])
    existing = {name for (name,) in cursor.fetchall()}
    statements = [f"CREATE ROLE {role} NOLOGIN" for role in ROLES if role not in existing]
    cursor.execute(
        "SELECT quote_ident(current_user), rolsuper OR coalesce("
        "    (SELECT pg_has_role(oid, 'USAGE') FROM pg_roles WHERE rolname = %s), false) "
        "FROM pg_roles WHERE rolname = current_user",
        [OWNER],
    )
    account, is_member = cursor.fetchone()
    if not is_member:
        statements.append(f"GRANT {OWNER} TO {account}")
    return statements + _wanting_of_schema(cursor) + _wanting_of_database(cursor)


def _wanting_of_schema(cursor: CursorWrapper) -> list[str]:
    schema = _schema(cursor)
    cursor.execute(
        "SELECT coalesce(rolname, 'PUBLIC'), privilege_type FROM pg_namespace, aclexplode(nspacl) "
        "LEFT JOIN pg_roles ON pg_roles.oid = grantee WHERE pg_namespace.oid = current_schema()::regnamespace"
    )
    granted = set(cursor.fetchall())
    statements = [f"GRANT USAGE ON SCHEMA {schema} TO {role}" for role in ROLES if (role, "USAGE") not in granted]
    if (OWNER, "CREATE") not in granted:
        statements.append(f"GRANT CREATE ON SCHEMA {schema} TO {OWNER}")
    statements += [
        f"REVOKE CREATE ON SCHEMA {schema} FROM {role}"
        for role in ROLES
        if role != OWNER and (role, "CREATE") in granted
    ]
    if any(name == "PUBLIC" for name, _ in granted):
        statements.append(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")
    return statements


def _wanting_of_database(cursor: CursorWrapper) -> list[str]:
    """Who is in one of the roles may connect; no role may do anything else with the database as a whole."""
    cursor.execute(
        "SELECT quote_ident(datname), coalesce(rolname, 'PUBLIC'), privilege_type FROM pg_database "
        "CROSS JOIN aclexplode(coalesce(datacl, acldefault('d', datdba))) LEFT JOIN pg_roles ON pg_roles.oid = grantee "
        "WHERE datname = current_database()"
    )
    rows = cursor.fetchall()
    database, granted = rows[0][0], {(role, right) for _, role, right in rows}
    return [
        *(f"GRANT CONNECT ON DATABASE {database} TO {role}" for role in ROLES if (role, "CONNECT") not in granted),
        *(
            f"REVOKE {right} ON DATABASE {database} FROM {role}"
            for role, right in sorted(granted)
            if (role == "PUBLIC" and right in _OF_EVERYBODY) or (role in ROLES and right != "CONNECT")
        ),
    ]


def _owner_statements(cursor: CursorWrapper) -> list[str]:
    """The sequences of identity columns follow their tables."""
    owned = {"TABLE": _RELATIONS_OF_OTHERS, "FUNCTION": _FUNCTIONS_OF_OTHERS}
    statements = []
    for kind, query in owned.items():
        cursor.execute(query, [OWNER])
        statements += [f"ALTER {kind} {name} OWNER TO {OWNER}" for (name,) in cursor.fetchall()]
    return statements


def _grant_statements(cursor: CursorWrapper) -> list[str]:
    statements = []
    cursor.execute(_COLUMNS)
    columns = set(cursor.fetchall())
    for kind, name in _objects(cursor):
        holders = ", ".join(("PUBLIC", *(role for role in ROLES if not role_matrix.is_owned(role, name))))
        if kind != "FUNCTION" or name.startswith(LEDGER_PREFIX):
            statements.append(f"REVOKE ALL ON {kind} {name} FROM {holders}")
        if kind == "FUNCTION" and name.startswith(LEDGER_PREFIX):
            statements.append(f"GRANT EXECUTE ON FUNCTION {name} TO {', '.join(FUNCTION_USERS)}")
        if kind == "TABLE":
            statements += _table_grants(name, columns)
    return statements


def _table_grants(table: str, existing: set[tuple[str, str]]) -> Iterable[str]:
    """A column that a later migration adds gets its grants when `migrate` ends."""
    for role in ROLES:
        rights = role_matrix.privileges(role, table)
        if rights:
            yield f"GRANT {', '.join(sorted(rights))} ON TABLE {table} TO {role}"
        for right, columns in COLUMN_GRANTS.get((role, table), {}).items():
            there = [column for column in columns if (table, column) in existing]
            if there:
                yield f"GRANT {right} ({', '.join(there)}) ON TABLE {table} TO {role}"


def _attempt(cursor: CursorWrapper, statement: str) -> bool:
    """Run the statement, and take it back where the account may not; returns whether it holds now."""
    try:
        with transaction.atomic(using=cursor.db.alias):
            cursor.execute(statement)
    except DatabaseError as error:
        code = sqlstate(error)
        if code not in (_INSUFFICIENT_PRIVILEGE, _UNDEFINED_OBJECT, *_MADE_BY_ANOTHER):
            raise
        return code in _MADE_BY_ANOTHER
    return True


def sqlstate(error: DatabaseError) -> str:
    """PostgreSQL's code of an error, such as 42501."""
    return str(getattr(error.__cause__, "sqlstate", ""))


def _refuse(statements: list[str]) -> None:
    if statements:
        sql = "\n".join(f"    {statement};" for statement in statements)
        raise RolesError(
            "The account that migrates may not set up the database roles. Let an administrator of the database run "
            f"the following in it, and migrate again:\n{sql}"
        )


def _schema(cursor: CursorWrapper) -> str:
    cursor.execute("SELECT quote_ident(current_schema())")
    return str(cursor.fetchone()[0])


def _objects(cursor: CursorWrapper) -> list[tuple[str, str]]:
    """Kind and quoted name of every table, sequence and function in the schema, functions with their arguments."""
    cursor.execute(_OBJECTS)
    return list(cursor.fetchall())


_OBJECTS = """
SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, quote_ident(relname) AS name
FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'S')
UNION ALL
SELECT 'FUNCTION', oid::regprocedure::text FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'ledger\\_%'
ORDER BY kind, name
"""
_COLUMNS = """
SELECT quote_ident(relname), attname::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
"""
_RELATIONS_OF_OTHERS = """
SELECT quote_ident(relname) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relname LIKE 'ledger\\_%%' AND relkind IN ('r', 'p')
    AND relowner <> %s::regrole ORDER BY relname
"""
_FUNCTIONS_OF_OTHERS = """
SELECT oid::regprocedure::text FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'ledger\\_%%' AND proowner <> %s::regrole
ORDER BY oid
"""
