-- What the ledger's schema is, one line for each thing that guards it; compared with postgres_catalogue.txt at the start.
WITH room AS (SELECT oid FROM pg_namespace WHERE nspname = 'ledger'),
tables AS (SELECT c.* FROM pg_class c, room WHERE c.relnamespace = room.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f'))
SELECT line FROM (
  SELECT format('table %s %s owner %s rules %s security %s', relname, relkind, pg_get_userbyid(relowner), relhasrules, relrowsecurity)
    FROM tables
  UNION ALL
  SELECT format('column %s.%s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull)
    FROM pg_attribute JOIN tables ON attrelid = tables.oid WHERE attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT format('constraint %s %s %s', relname, contype, pg_get_constraintdef(c.oid))
    FROM pg_constraint c JOIN tables ON conrelid = tables.oid WHERE contype IN ('c', 'p', 'u', 'x', 'f')
  UNION ALL
  SELECT format('index %s %s', pg_get_indexdef(indexrelid), indisvalid)
    FROM pg_index JOIN tables ON indrelid = tables.oid
  UNION ALL
  SELECT format('trigger %s %s enabled %s', relname, pg_get_triggerdef(t.oid), tgenabled)
    FROM pg_trigger t JOIN tables ON tgrelid = tables.oid WHERE NOT tgisinternal
  UNION ALL
  SELECT format('function %s(%s) owner %s definer %s settings %s body %s', proname, pg_get_function_identity_arguments(p.oid),
      pg_get_userbyid(proowner), prosecdef, coalesce(array_to_string(proconfig, ' '), ''), md5(prosrc))
    FROM pg_proc p, room WHERE pronamespace = room.oid
  UNION ALL
  SELECT format('writer may %s on %s', privilege, relname)
    FROM tables, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS privilege
    WHERE has_table_privilege('cw_writer', tables.oid, privilege)
) AS lines(line) ORDER BY line COLLATE "C"
