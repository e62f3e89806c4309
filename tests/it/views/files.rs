//! Formats that have a way of their own, containers, and views inside of views.

use super::Shape;
use super::dotenv;
use super::halves;
use super::json;
use super::marked::Marked;
use super::unicode;

/// Files of formats that have a way of their own.
pub(super) const FORMATS: &[Shape] = &[
    ("YAML folded", "a.yml", |key| {
        halves("yousign:\n  api_key: >-\n    ", key, "\n    ", "\n  other: 1\n")
    }),
    ("YAML literal", "a.yml", |key| {
        Marked::new("yousign:\n  api_key: |\n    ", key, "\n  other: 1\n")
    }),
    ("YAML quoted over lines", "a.yml", |key| {
        halves("yousign:\n  api_key: \"", key, "\\\n    ", "\"\n  other: 1\n")
    }),
    ("YAML anchor", "a.yml", |key| {
        Marked::new(
            "x-yousign-key: &yousign_key ",
            key,
            "\nservices:\n  api:\n    key: *yousign_key\n",
        )
    }),
    ("YAML tag", "a.yml", |key| Marked::new("yousign:\n  api_key: !!str ", key, "\n")),
    ("YAML binary", "a.yml", |key| {
        Marked::new("", key, "").base64().within("yousign:\n  api_key: !!binary ", "\n")
    }),
    ("properties with escaped colons", "a.properties", |key| {
        Marked::new("yousign.url=https\\://api.yousign.app/v3\nyousign.api.key=", key, "\n")
    }),
    ("properties with a continued line", "a.properties", |key| {
        halves("yousign.api.key=", key, "\\\n    ", "\n")
    }),
    ("properties with an escaped name", "a.properties", |key| {
        Marked::new("yousign\\:api\\ key = ", key, "\n")
    }),
    ("notebook", "a.ipynb", |key| {
        Marked::new("yousign_api_key = \"", key, "\"\n").json_string().within("{\"cells\": [{\"cell_type\": \"code\", \"source\": [\n   \"import requests\\n\",\n   \"", "\"\n  ]}], \"nbformat\": 4}\n")
    }),
    ("notebook output", "a.ipynb", |key| {
        Marked::new("YOUSIGN_API_KEY=", key, "\n")
            .json_string()
            .within("{\"cells\": [{\"outputs\": [{\"text\": [\"PATH=/bin\\n\", \"", "\"]}]}]}\n")
    }),
    ("HAR header", "a.har", |key| {
        Marked::new(
            "{\"log\":{\"entries\":[{\"request\":{\"method\":\"GET\",\"url\":\"https://api.yousign.app/v3/users\",\"headers\":[{\"name\":\"Authorization\",\"value\":\"Bearer ",
            key,
            "\"}]}}]}}",
        )
    }),
    ("HAR body in base64", "a.har", |key| {
        json(key).base64().within("{\"log\":{\"entries\":[{\"response\":{\"content\":{\"encoding\":\"base64\",\"text\":\"", "\"}}}]}}")
    }),
    ("HAR body", "a.har", |key| {
        json(key).json_string().within("{\"log\":{\"entries\":[{\"response\":{\"content\":{\"mimeType\":\"application/json\",\"text\":\"", "\"}}}]}}")
    }),
    ("Postman", "a.postman_collection.json", |key| {
        Marked::new(
            "{\"info\":{\"name\":\"Yousign\"},\"auth\":{\"type\":\"bearer\",\"bearer\":[{\"key\":\"token\",\"value\":\"",
            key,
            "\",\"type\":\"string\"}]}}",
        )
    }),
    ("Postman environment", "yousign.postman_environment.json", |key| {
        Marked::new(
            "{\"name\":\"Yousign\",\"values\":[{\"key\":\"api_key\",\"value\":\"",
            key,
            "\",\"enabled\":true}]}",
        )
    }),
    ("Insomnia", "insomnia.json", |key| {
        Marked::new(
            "{\"resources\":[{\"_type\":\"request\",\"url\":\"https://api.yousign.app/v3/users\",\"authentication\":{\"type\":\"bearer\",\"token\":\"",
            key,
            "\"}}]}",
        )
    }),
    ("Bruno", "yousign.bru", |key| {
        Marked::new(
            "get {\n  url: https://api-sandbox.yousign.app/v3/users\n}\n\nauth:bearer {\n  token: ",
            key,
            "\n}\n",
        )
    }),
    (".http", "a.http", |key| {
        Marked::new(
            "GET https://api.yousign.app/v3/users\nAuthorization: Bearer ",
            key,
            "\nAccept: */*\n",
        )
    }),
    ("SQL dump", "dump.sql", |key| {
        Marked::new(
            "INSERT INTO `settings` VALUES (1,'cddu_yousign_api_key','",
            key,
            "'),(2,'x','y');\n",
        )
    }),
    ("SQL dump with JSON", "dump.sql", |key| {
        Marked::new("{\"yousign\":{\"api_key\":\"", key, "\"}}")
            .json_string()
            .within("INSERT INTO `settings` VALUES (1,'", "');\n")
    }),
    ("pg COPY", "dump.sql", |key| {
        Marked::new(
            "COPY settings (id, name, value) FROM stdin;\n1\tyousign_api_key\t",
            key,
            "\n\\.\n",
        )
    }),
    ("PHP serialized", "dump.sql", |key| {
        Marked::new("a:1:{s:7:\"yousign\";a:1:{s:7:\"api_key\";s:32:\"", key, "\";}}")
    }),
    ("shared strings", "xl/sharedStrings.xml", |key| {
        Marked::new("<sst><si><t>YOUSIGN_API_KEY</t></si><si><t>", key, "</t></si></sst>")
    }),
    ("shared strings in runs", "xl/sharedStrings.xml", |key| {
        halves(
            "<sst><si><t>yousign api key: </t></si><si><r><rPr><b/></rPr><t>",
            key,
            "</t></r><r><rPr><i/><sz val=\"11\"/></rPr><t xml:space=\"preserve\">",
            "</t></r></si></sst>",
        )
    }),
    ("Word runs", "word/document.xml", |key| {
        halves(
            "<w:p><w:r><w:t>YOUSIGN_API_KEY=</w:t></w:r><w:r><w:t>",
            key,
            "</w:t></w:r><w:r w:rsidR=\"00A1\"><w:rPr><w:b/></w:rPr><w:t>",
            "</w:t></w:r></w:p>",
        )
    }),
    ("plist", "Info.plist", |key| {
        Marked::new("<dict>\n\t<key>YousignApiKey</key>\n\t<string>", key, "</string>\n</dict>\n")
    }),
    ("Android strings", "res/values/strings.xml", |key| {
        Marked::new(
            "<resources>\n    <string name=\"yousign_api_key\">",
            key,
            "</string>\n</resources>\n",
        )
    }),
    ("xcconfig", "Release.xcconfig", |key| {
        Marked::new("YOUSIGN_URL = https:/$()/api.yousign.app\nYOUSIGN_API_KEY = ", key, "\n")
    }),
    ("Dart define", "lib/env.dart", |key| {
        Marked::new(
            "const yousignApiKey = String.fromEnvironment('YOUSIGN_API_KEY', defaultValue: '",
            key,
            "');\n",
        )
    }),
];

/// Containers, and one view inside of another.
pub(super) const NESTED: &[Shape] = &[
    ("gz", "a.gz", |key| dotenv(key).gzip()),
    ("bz2", "a.bz2", |key| dotenv(key).bzip2()),
    ("xz", "a.xz", |key| dotenv(key).xz()),
    ("zst", "a.zst", |key| dotenv(key).zstd()),
    ("tar", "a.tar", |key| dotenv(key).tar(".env")),
    ("tar.gz", "a.tgz", |key| dotenv(key).tar("app/.env").gzip()),
    ("tar.bz2", "a.tar.bz2", |key| dotenv(key).tar("app/.env").bzip2()),
    ("tar.xz", "a.tar.xz", |key| dotenv(key).tar("app/.env").xz()),
    ("tar.zst", "a.tar.zst", |key| dotenv(key).tar("app/.env").zstd()),
    ("zip", "a.zip", |key| dotenv(key).zip("app/.env")),
    ("jar", "a.jar", |key| {
        Marked::new("yousign.api.key=", key, "\n").zip("BOOT-INF/classes/application.properties")
    }),
    ("docx", "a.docx", |key| {
        halves(
            "<w:p><w:r><w:t>YOUSIGN_API_KEY=</w:t></w:r><w:r><w:t>",
            key,
            "</w:t></w:r><w:r><w:t>",
            "</w:t></w:r></w:p>",
        )
        .zip("word/document.xml")
    }),
    ("xlsx", "a.xlsx", |key| {
        Marked::new("<sst><si><t>YOUSIGN_API_KEY</t></si><si><t>", key, "</t></si></sst>")
            .zip("xl/sharedStrings.xml")
    }),
    ("apk", "a.apk", |key| {
        Marked::new("{\"YOUSIGN_API_KEY\":\"", key, "\"}").zip("assets/flutter_assets/env.json")
    }),
    ("whl", "a.whl", |key| Marked::new("YOUSIGN_API_KEY = \"", key, "\"\n").zip("app/settings.py")),
    ("gz in tar in zip", "a.zip", |key| dotenv(key).gzip().tar("env.gz").zip("app.tar")),
    ("zip in zip in zip", "a.zip", |key| dotenv(key).zip(".env").zip("b.zip").zip("a.zip")),
    ("UTF-16 in zip", "a.zip", |key| dotenv(key).utf16(false, true).zip("env.txt")),
    ("percent-encoded JSON", "access.log", |key| {
        json(key).percent().within("GET /?q=", " HTTP/1.1\n")
    }),
    ("percent-encoded base64", "access.log", |key| {
        json(key).base64().percent().within("GET /?state=", " HTTP/1.1\n")
    }),
    ("base64 in JSON in JSON", "a.json", |key| {
        json(key)
            .base64()
            .within("{\"data\": \"", "\"}")
            .json_string()
            .within("{\"body\": \"", "\"}")
    }),
    ("base64 in UTF-16", "a.ps1", |key| {
        json(key).base64().within("$data = '", "'\n").utf16(false, true)
    }),
    ("base64 of gz", "cloud-init.yml", |key| {
        dotenv(key).gzip().base64().within("write_files:\n- encoding: gz+b64\n  content: ", "\n")
    }),
    ("unicode escapes in a joined literal", "a.js", |key| {
        Marked::new(
            "const yousignApiKey = \"",
            &format!("{}\" + \"{}", unicode(&key[..16]), unicode(&key[16..])),
            "\";\n",
        )
    }),
    ("HTML in base64", "a.txt", |key| {
        json(key).html().within("<div data-x=\"", "\">").base64().within("body: ", "\n")
    }),
];
