//! Ways in which a text or a single value is encoded or spelled.

use super::Shape;
use super::char_list;
use super::codes;
use super::dotenv;
use super::halves;
use super::hex;
use super::json;
use super::marked::Marked;
use super::pieces;
use super::reversed;
use super::unicode;

/// Character sets and encodings of whole files or values.
pub(super) const ENCODINGS: &[Shape] = &[
    ("plain", ".env", dotenv),
    ("utf-16le with mark", ".env", |key| dotenv(key).utf16(false, true)),
    ("utf-16be with mark", ".env", |key| dotenv(key).utf16(true, true)),
    ("utf-16le", ".env", |key| dotenv(key).utf16(false, false)),
    ("utf-16be", ".env", |key| dotenv(key).utf16(true, false)),
    ("utf-32le with mark", ".env", |key| dotenv(key).utf32(false, true)),
    ("utf-32be with mark", ".env", |key| dotenv(key).utf32(true, true)),
    ("utf-32le", ".env", |key| dotenv(key).utf32(false, false)),
    ("utf-32be", ".env", |key| dotenv(key).utf32(true, false)),
    ("utf-8 with mark", ".env", |key| dotenv(key).within("\u{feff}", "")),
    ("latin-1 around", ".env", |key| dotenv(key).latin1()),
    ("kubernetes data", "secret.yaml", |key| {
        Marked::new("", key, "").base64().within(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: yousign\ndata:\n  YOUSIGN_API_KEY: ",
            "\n",
        )
    }),
    ("kubernetes data with a line end in it", "secret.yaml", |key| {
        Marked::new("", key, "\n").base64().within("kind: Secret\ndata:\n  YOUSIGN_API_KEY: ", "\n")
    }),
    ("a whole .env in base64", "ci.yml", |key| {
        dotenv(key).base64().within("env:\n  DOTENV: \"", "\"\n")
    }),
    ("base64 in lines", "mail.txt", |key| {
        dotenv(key)
            .within("# a longer file so that the lines are wrapped more than once\n", "# the end\n")
            .base64_lines()
            .within("Content-Transfer-Encoding: base64\n\n", "\n")
    }),
    ("basic auth", "deploy.sh", |key| {
        Marked::new("yousign:", key, "")
            .base64()
            .within("curl https://api.yousign.app/v3/users -H 'Authorization: Basic ", "'\n")
    }),
    ("base64 of UTF-16", "run.ps1", |key| {
        Marked::new("$env:YOUSIGN_API_KEY='", key, "'")
            .utf16(false, false)
            .base64()
            .within("powershell -EncodedCommand ", "\n")
    }),
    ("base64 twice", "ci.yml", |key| json(key).base64().base64().within("data: ", "\n")),
    ("data URL", "page.html", |key| {
        json(key).base64().within("<a href=\"data:application/json;base64,", "\">x</a>")
    }),
    ("percent", "log.txt", |key| {
        Marked::new("yousign_api_key=", key, "&x=1")
            .percent()
            .within("GET /cb?state=", " HTTP/1.1\n")
    }),
    ("double percent", "log.txt", |key| {
        Marked::new("{\"yousign\":{\"apiKey\":\"", key, "\"}}")
            .percent()
            .percent()
            .within("GET /cb?state=", " HTTP/1.1\n")
    }),
    ("percent, each character", "log.txt", |key| {
        Marked::new("", key, "")
            .each(|byte| format!("%{byte:02x}"))
            .within("https://api.yousign.app/v3/users?api_key=", "\n")
    }),
    ("form encoding", "body.txt", |key| {
        Marked::new("yousign api key=", key, "&b=2").percent().within("a=1&q=", "\n")
    }),
    ("JSON in JSON", "n8n.json", |key| json(key).json_string().within("{\"body\": \"", "\"}")),
    ("JSON in JSON in JSON", "n8n.json", |key| {
        json(key)
            .json_string()
            .within("{\"body\": \"", "\"}")
            .json_string()
            .within("{\"a\": \"", "\"}")
    }),
    ("HTML attribute", "page.html", |key| {
        json(key).html().within("<div data-page=\"", "\"></div>\n")
    }),
    ("HTML in JSON", "x.json", |key| json(key).html().json_string().within("{\"html\": \"", "\"}")),
    ("numeric entities", "page.html", |key| {
        Marked::new("", key, "")
            .each(|byte| format!("&#{byte};"))
            .within("<p>yousign api key: <code>", "</code></p>")
    }),
    ("hexadecimal entities without a semicolon's zero", "page.html", |key| {
        Marked::new("", key, "")
            .each(|byte| format!("&#x{byte:x};"))
            .within("<p>yousign api key: <code>", "</code></p>")
    }),
    ("unicode escapes", "a.js", |key| {
        Marked::new("const yousignApiKey = \"", &unicode(key), "\";\n")
    }),
    ("braced unicode escapes", "a.js", |key| {
        Marked::new("", key, "")
            .each(|byte| format!("\\u{{{byte:x}}}"))
            .within("const yousignApiKey = \"", "\";\n")
    }),
    ("hex escapes", "a.js", |key| {
        Marked::new("", key, "")
            .each(|byte| format!("\\x{byte:02x}"))
            .within("const yousignApiKey = \"", "\";\n")
    }),
    ("octal escapes", "a.php", |key| {
        Marked::new("", key, "")
            .each(|byte| format!("\\{byte:03o}"))
            .within("$yousignApiKey = \"", "\";\n")
    }),
    ("python long unicode escapes", "a.py", |key| {
        Marked::new("", key, "")
            .each(|byte| format!("\\U{byte:08x}"))
            .within("yousign_api_key = \"", "\"\n")
    }),
    ("quoted-printable", "mail.eml", |key| {
        Marked::new("", &format!("{}=\n{}", &key[..20], &key[20..]), "")
            .within("Content-Transfer-Encoding: quoted-printable\n\nYOUSIGN_API_KEY=3D", "\nbye\n")
    }),
    ("quoted-printable with CRLF", "mail.eml", |key| {
        Marked::new("", &format!("{}=\r\n{}", &key[..20], &key[20..]), "").within(
            "Content-Transfer-Encoding: quoted-printable\r\n\r\nYOUSIGN_API_KEY=3D",
            "\r\nbye\r\n",
        )
    }),
    ("hex of the key", "a.py", |key| {
        Marked::new("yousign_api_key = bytes.fromhex('", &hex(key), "')\n")
    }),
    ("hex of the key in capitals", "a.sql", |key| {
        Marked::new("SET @yousign_api_key = X'", &hex(key).to_uppercase(), "';\n")
    }),
    ("0x literal", "dump.sql", |key| {
        Marked::new(
            "INSERT INTO settings (name, value) VALUES ('yousign_api_key', 0x",
            &hex(key),
            ");\n",
        )
    }),
    ("hex of a file", "x.txt", |key| {
        Marked::new("YOUSIGN_API_KEY=", key, "\n")
            .each(|byte| format!("{byte:02x}"))
            .within("payload: ", "\n")
    }),
    ("hex with spaces", "dump.txt", |key| {
        Marked::new(
            "yousign_api_key: ",
            &key.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
            "\n",
        )
    }),
];

/// Literals in pieces, and lists of characters.
pub(super) const LITERALS: &[Shape] = &[
    ("plus", "a.js", |key| halves("const yousignApiKey = \"", key, "\" + \"", "\";\n")),
    ("plus over lines", "a.java", |key| {
        pieces("String yousignApiKey = \"", key, "\"\n    + \"", "\";\n")
    }),
    ("plus at line ends", "a.js", |key| pieces("const yousignApiKey = '", key, "' +\n  '", "';\n")),
    ("dot", "a.php", |key| pieces("$yousignApiKey = '", key, "' . '", "';\n")),
    ("dot over lines", "a.php", |key| pieces("$yousignApiKey = '", key, "'\n    . '", "';\n")),
    ("two dots", "a.lua", |key| pieces("local yousign_api_key = \"", key, "\" .. \"", "\"\n")),
    ("ampersand", "a.vb", |key| pieces("Dim yousignApiKey As String = \"", key, "\" & \"", "\"\n")),
    ("ampersand over lines", "a.vb", |key| {
        pieces("Dim yousignApiKey As String = \"", key, "\" & _\r\n    \"", "\"\r\n")
    }),
    ("diamond", "a.ex", |key| pieces("yousign_api_key = \"", key, "\" <> \"", "\"\n")),
    ("double bar", "a.sql", |key| {
        pieces("UPDATE settings SET yousign_api_key = '", key, "' || '", "';\n")
    }),
    ("double plus", "a.hs", |key| pieces("yousignApiKey = \"", key, "\" ++ \"", "\"\n")),
    ("caret", "a.ml", |key| pieces("let yousign_api_key = \"", key, "\" ^ \"", "\"\n")),
    ("adjacent", "a.py", |key| pieces("yousign_api_key = \"", key, "\" \"", "\"\n")),
    ("adjacent over lines", "a.py", |key| {
        pieces("yousign_api_key = (\n    \"", key, "\"\n    \"", "\"\n)\n")
    }),
    ("adjacent in C", "a.c", |key| {
        pieces("const char *yousign_api_key = \"", key, "\"\n  \"", "\";\n")
    }),
    ("backslash-newline in a literal", "a.py", |key| {
        halves("yousign_api_key = \"", key, "\\\n", "\"\n")
    }),
    ("backslash-newline in a shell", "a.sh", |key| {
        halves("export YOUSIGN_API_KEY=", key, "\\\n", "\n")
    }),
    ("backslash between literals", "a.rb", |key| {
        pieces("yousign_api_key = \"", key, "\" \\\n  \"", "\"\n")
    }),
    ("heredoc", "a.sh", |key| Marked::new("cat > .env <<EOF\nYOUSIGN_API_KEY=", key, "\nEOF\n")),
    ("heredoc variable", "a.php", |key| {
        Marked::new("$yousignApiKey = <<<KEY\n    ", key, "\n    KEY;\n")
    }),
    ("template literal", "a.ts", |key| Marked::new("const yousignApiKey = `", key, "`;\n")),
    ("template of literals", "a.ts", |key| {
        pieces("const yousignApiKey = `${\"", key, "\"}${\"", "\"}`;\n")
    }),
    ("f-string prefix", "a.py", |key| pieces("yousign_api_key = f\"", key, "\" f\"", "\"\n")),
    ("joined array", "a.js", |key| {
        pieces("const yousignApiKey = [\"", key, "\", \"", "\"].join(\"\");\n")
    }),
    ("joined array over lines", "a.js", |key| {
        pieces("const yousignApiKey = [\n  '", key, "',\n  '", "',\n].join('');\n")
    }),
    ("python join", "a.py", |key| {
        pieces("yousign_api_key = \"\".join([\"", key, "\", \"", "\"])\n")
    }),
    ("python join of a tuple", "a.py", |key| {
        pieces("yousign_api_key = ''.join(('", key, "', '", "'))\n")
    }),
    ("implode", "a.php", |key| pieces("$yousignApiKey = implode('', ['", key, "', '", "']);\n")),
    ("implode array()", "a.php", |key| {
        pieces("$yousignApiKey = implode(array('", key, "', '", "'));\n")
    }),
    ("String.Join", "a.cs", |key| {
        pieces("var yousignApiKey = string.Join(\"\", new[] { \"", key, "\", \"", "\" });\n")
    }),
    ("String.Concat", "a.cs", |key| {
        pieces("var yousignApiKey = string.Concat(\"", key, "\", \"", "\");\n")
    }),
    ("concat()", "a.sql", |key| pieces("SET @yousign_api_key = CONCAT('", key, "', '", "');\n")),
    (".concat()", "a.js", |key| pieces("var yousignApiKey=\"", key, "\".concat(\"", "\");\n")),
    ("strings.Join", "a.go", |key| {
        pieces("yousignAPIKey := strings.Join([]string{\"", key, "\", \"", "\"}, \"\")\n")
    }),
    ("characters", "a.js", |key| {
        Marked::new("const yousignApiKey = ['", &char_list(key), "'].join('');\n")
    }),
    ("C characters", "a.c", |key| {
        Marked::new("char yousign_api_key[] = {'", &char_list(key), "'};\n")
    }),
    ("reversed in Python", "a.py", |key| {
        Marked::new("yousign_api_key = \"", &reversed(key), "\"[::-1]\n")
    }),
    ("reversed in JavaScript", "a.js", |key| {
        Marked::new(
            "const yousignApiKey = \"",
            &reversed(key),
            "\".split(\"\").reverse().join(\"\");\n",
        )
    }),
    ("reversed in PHP", "a.php", |key| {
        Marked::new("$yousignApiKey = strrev('", &reversed(key), "');\n")
    }),
    ("reversed in Ruby", "a.rb", |key| {
        Marked::new("yousign_api_key = '", &reversed(key), "'.reverse\n")
    }),
    ("character codes", "a.js", |key| {
        Marked::new(
            "const yousignApiKey = String.fromCharCode(",
            &codes(key, |byte| byte.to_string()),
            ");\n",
        )
    }),
    ("a list of codes", "a.py", |key| {
        Marked::new(
            "yousign_api_key = bytes([",
            &codes(key, |byte| byte.to_string()),
            "]).decode()\n",
        )
    }),
    ("hexadecimal codes", "a.c", |key| {
        Marked::new(
            "const uint8_t yousign_api_key[] = {",
            &codes(key, |byte| format!("0x{byte:02x}")),
            "};\n",
        )
    }),
    ("a Go byte slice", "a.go", |key| {
        Marked::new(
            "var yousignAPIKey = []byte{",
            &codes(key, |byte| format!("0x{byte:02X}")),
            "}\n",
        )
    }),
    ("codes joined in PHP", "a.php", |key| {
        Marked::new(
            "$yousignApiKey = chr(",
            &key.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(").chr("),
            ");\n",
        )
    }),
    ("codes over lines", "a.c", |key| {
        let codes = key.bytes().map(|byte| format!("0x{byte:02x}")).collect::<Vec<_>>();
        let lines: Vec<String> = codes.chunks(8).map(|line| line.join(", ")).collect();
        Marked::new(
            "const unsigned char yousign_api_key[32] = {\n    ",
            &lines.join(",\n    "),
            "\n};\n",
        )
    }),
];
