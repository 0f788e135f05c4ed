"""Makes `manifest.schema.json` anew from Slack's types of manifests, scope and event names among them; needs npm.

`python -m tests.samples.slack.regenerate`. The types' doc comments state lengths and counts, as those of blocks do; what they lack is added
from the facts of Slack's own JSON Schema (github.com/slackapi/manifest-schema, schemas/manifest.schema.1.0.0.json), and "https" is ours.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.sandbox.gate.regenerate import Schema, _limit, _properties, _run, _without_comments

TARGET = Path(__file__).with_name("manifest.schema.json")
#: MIT licence, (c) 2014- Slack Technologies, LLC.
_PACKAGES = ("@slack/web-api@8.2.0", "ts-json-schema-generator@2.9.0")
_ENTRY = (
    "import type { AppsManifestCreateArguments } from '@slack/web-api';\nexport type Entry = AppsManifestCreateArguments['manifest'];\n"
)
_TSCONFIG = {
    "compilerOptions": {"strict": True, "module": "nodenext", "moduleResolution": "nodenext", "target": "es2022", "skipLibCheck": True},
    "files": ["entry.ts"],
}
_HTTPS = {"pattern": "^https://", "maxLength": 3000}
_UNSTATED: dict[tuple[str, str], Schema] = {
    ("ManifestDisplayInformation", "long_description"): {"minLength": 175},
    ("ManifestSlashCommand", "command"): {"minLength": 2, "pattern": "^/"},
    ("ManifestSlashCommand", "description"): {"minLength": 1},
    ("ManifestSlashCommand", "usage_hint"): {"minLength": 1},
    ("ManifestSlashCommand", "url"): _HTTPS,
    ("ManifestFeatures", "slash_commands"): {"minItems": 1},
    ("ManifestBotUser", "display_name"): {"pattern": "^[a-z0-9._-]+$"},
    ("ManifestOAuthConfig", "redirect_urls"): {"uniqueItems": True, "items": {"type": "string", **_HTTPS, "maxLength": 2500}},
    ("ManifestEventSubscriptions", "bot_events"): {"uniqueItems": True},
    ("ManifestEventSubscriptions", "request_url"): _HTTPS,
    ("ManifestInteractivity", "request_url"): _HTTPS,
}
#: An interface that takes any key lets every misspelling through.
_OPEN = "Manifest"


def main() -> None:
    with TemporaryDirectory() as folder:
        schema = _generated(Path(folder))
    definitions: dict[str, Schema] = schema["definitions"]
    definitions[_OPEN]["additionalProperties"] = False
    for definition in definitions.values():
        for name, node in _properties(definition):
            _limit(name, node)
    for (definition, name), limits in _UNSTATED.items():
        definitions[definition]["properties"][name].update(limits)
    TARGET.write_text(json.dumps(_without_comments(schema), indent=1, sort_keys=True) + "\n")


def _generated(folder: Path) -> Schema:
    (folder / "entry.ts").write_text(_ENTRY)
    (folder / "tsconfig.json").write_text(json.dumps(_TSCONFIG))
    _run(folder, "npm", "install", "--no-audit", "--no-fund", *_PACKAGES)
    options = ("--path", "entry.ts", "--tsconfig", "tsconfig.json", "--type", "Entry", "--expose", "all", "--no-type-check")
    return json.loads(_run(folder, "npx", "ts-json-schema-generator", *options))


if __name__ == "__main__":
    main()
