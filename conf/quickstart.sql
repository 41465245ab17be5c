-- quickstart.sql: the database that ./quickstart serves, from Unicode's character data as Debian's package unicode-data
-- installs it: one row a character, its code point as the key (U+00E9), what is known of it as JSON.
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;

CREATE TEMP TABLE line (
    code TEXT, name TEXT, category TEXT, combining TEXT, bidirectional TEXT, decomposition TEXT, decimal TEXT,
    digit TEXT, numeric TEXT, mirrored TEXT, old_name TEXT, comment TEXT, uppercase TEXT, lowercase TEXT, titlecase TEXT
);
.mode ascii
.separator ";" "\n"
.import --schema temp /usr/share/unicode/UnicodeData.txt line

CREATE TEMP TABLE category (short TEXT PRIMARY KEY, long TEXT);
INSERT INTO category VALUES
    ('Lu', 'letter, uppercase'), ('Ll', 'letter, lowercase'), ('Lt', 'letter, titlecase'), ('Lm', 'letter, modifier'),
    ('Lo', 'letter, other'), ('Mn', 'mark, nonspacing'), ('Mc', 'mark, spacing'), ('Me', 'mark, enclosing'),
    ('Nd', 'number, decimal'), ('Nl', 'number, letter'), ('No', 'number, other'), ('Pc', 'punctuation, connector'),
    ('Pd', 'punctuation, dash'), ('Ps', 'punctuation, open'), ('Pe', 'punctuation, close'),
    ('Pi', 'punctuation, initial quote'), ('Pf', 'punctuation, final quote'), ('Po', 'punctuation, other'),
    ('Sm', 'symbol, math'), ('Sc', 'symbol, currency'), ('Sk', 'symbol, modifier'), ('So', 'symbol, other'),
    ('Zs', 'separator, space'), ('Zl', 'separator, line'), ('Zp', 'separator, paragraph'), ('Cc', 'control'),
    ('Cf', 'format'), ('Cs', 'surrogate'), ('Co', 'private use');

-- The code point as a number: SQLite reads no hexadecimal text, so its digits are added up.
CREATE TEMP VIEW numbered AS
WITH RECURSIVE
    digits(code, rest, number) AS (
        SELECT code, code, 0 FROM line
        UNION ALL
        SELECT code, substr(rest, 2), number * 16 + instr('123456789ABCDEF', substr(rest, 1, 1))
        FROM digits WHERE rest <> ''
    )
SELECT code, number FROM digits WHERE rest = '';

CREATE TABLE characters (code TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;

-- The patch with an empty object leaves out what has no value. Controls and surrogates have no shape to show.
INSERT INTO characters
SELECT 'U+' || code,
       json_patch('{}', json_object(
           'code', 'U+' || code,
           'name', name,
           'character', CASE WHEN category NOT IN ('Cc', 'Cs') THEN char(number) END,
           'category', coalesce(long, category),
           'numeric', nullif(numeric, ''),
           'uppercase', 'U+' || nullif(uppercase, ''),
           'lowercase', 'U+' || nullif(lowercase, ''),
           'decomposition', nullif(decomposition, ''),
           'old_name', nullif(old_name, ''))) || char(10)
FROM line JOIN numbered USING (code) LEFT JOIN category ON short = category;

.mode list
SELECT count(*) FROM characters;
