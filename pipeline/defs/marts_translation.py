"""How dbt's nodes appear in Dagster: keys, groups, owners, words; and which of them to run.

What belongs here: translation, without touching any store. What does not: the assets themselves (defs.marts).
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from pipeline.defs.columns import column_metadata
from pipeline.defs.guides import guide
from pipeline.defs.stories import DAILY
from pipeline.store.warehouse_columns import Column

MARTS = "marts"
OWNERS = ["team:analytics"]
MARTS_GUIDE = "docs/analysts/README.md#explain-a-match"
# Ids that people gave: a source's, and those of rows in partners' CRMs.
NAMED_IDS = {"source_id", "account_external_id", "contact_external_id", "row_external_id"}
MOST_COLUMNS = 10

WHEN_AND_WHAT_IF = """
Rebuilt by dbt after each daily sync (job `marts`), at once with its tests. If it fails, open the failed check or the step's
log: it names the model and the rows; a later build repairs everything, since what a row is made of is looked at each time.
"""

WHAT_IF_CHECK = (
    "If it fails: nothing new is published, and readers keep the build before. The failed step of the job `marts` says which "
    "model and how many rows; mend what made them, then run the job again."
)


class Translator(DagsterDbtTranslator):
    """How dbt's nodes appear in Dagster: key by layer, one group, one owner, sources as the assets that write them."""

    def __init__(self) -> None:
        # Several tables of the warehouse are written by one asset.
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """``[layer, name]`` for a model; what the source's meta names for a source."""
        if dbt_resource_props["resource_type"] == "model":
            return dg.AssetKey([dbt_resource_props["config"]["schema"], dbt_resource_props["name"]])
        return super().get_asset_key(dbt_resource_props)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What a row is, as the model's documentation says; when it is refreshed and what to do if it fails."""
        # The catalog shows the beginning as it is written.
        return f"{dbt_resource_props['description'].strip().replace('**', '')}\n{WHEN_AND_WHAT_IF}"

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The model's asset, with this project's group, owner, kinds and tags."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = self.get_resource_props(manifest, unique_id)
        if node["resource_type"] != "model":
            return spec
        return spec.replace_attributes(
            group_name=MARTS,
            owners=OWNERS,
            kinds={"dbt", "duckdb", node["config"]["materialized"]},
            tags={"layer": node["config"]["schema"]},
            # Views are as fresh as what they show.
            freshness_policy=DAILY if node["config"]["schema"] == MARTS else None,
            metadata={**spec.metadata, **self._columns(manifest, node), **guide(MARTS_GUIDE)},
        )

    def _columns(self, manifest: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
        """The model's columns with dbt's words and types, and where they come from; nothing where neither names any."""
        origins = {name: [(table, of) for table, of in found] for name, found in node.get("column_origins", {}).items()}
        described = [node["columns"].get(name, {}) for name in origins or node["columns"]]
        columns = [
            Column(name, said.get("data_type") or "", " ".join((said.get("description") or "").split()))
            for name, said in zip(origins or node["columns"], described, strict=True)
        ]
        return column_metadata(columns, origins, self._assets_read(manifest, node)) if columns else {}

    def _assets_read(self, manifest: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, dg.AssetKey]:
        """The asset of each table that the model reads. Of an asset that writes several tables, only the one it is named after."""
        parents = [manifest["nodes"].get(key) or manifest["sources"].get(key) for key in node["depends_on"]["nodes"]]
        keys = {f"{parent['config'].get('schema') or parent['schema']}.{parent['name']}": self.get_asset_key(parent)
                for parent in parents if parent is not None}  # fmt: skip
        return {table: key for table, key in keys.items() if ".".join(key.path) == table}

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """The test's check, with a description in words."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(description=f"{check_description(manifest['nodes'][unique_id])} {WHAT_IF_CHECK}")


def check_description(test: Mapping[str, Any]) -> str:
    """What a test holds to, in words: its own description, else one made from its kind and arguments."""
    if test.get("description"):
        return str(test["description"])
    column, kind = test.get("column_name"), test.get("test_metadata") or {}
    arguments = kind.get("kwargs", {})
    match kind.get("name"):
        case "unique":
            return f"No two rows share a {column}."
        case "not_null":
            return f"{column} is never NULL."
        case "accepted_values":
            return f"{column} is one of: {', '.join(map(str, arguments.get('values', [])))}."
        case "relationships":
            return f"Every {column} is found as {arguments.get('field')} in {_referred(arguments.get('to', ''))}."
        case "unique_together":
            return f"No two rows share {', '.join(arguments.get('columns', []))}."
        case "adds_up_to":
            return f"{column} is the sum of {', '.join(arguments.get('parts', []))}."
        case "within":
            ends = [f"at least {arguments['low']}"] if arguments.get("low") is not None else []
            ends += [f"at most {arguments['high']}"] if arguments.get("high") is not None else []
            return f"{column} is {' and '.join(ends)}."
    return f"The dbt test {test['name']} holds."


def selection(manifest: Mapping[str, Any], models: Set[dg.AssetKey], checks: Set[dg.AssetCheckKey]) -> list[str]:
    """What to tell dbt to run, by fully qualified name, in the manifest's order: exactly these models and tests, and the
    intermediate tables that the models read, which would speak of the build before.
    """
    translator = Translator()
    chosen = []
    read = _tables_below(manifest, {key for key, node in manifest["nodes"].items()
                                    if node["resource_type"] == "model" and translator.get_asset_key(node) in models})  # fmt: skip
    for unique_id, node in sorted(manifest["nodes"].items()):
        if node["resource_type"] == "model":
            is_chosen = translator.get_asset_key(node) in models or unique_id in read
        else:
            is_chosen = check_key(manifest, translator, unique_id) in checks
        if is_chosen:
            chosen.append("fqn:" + ".".join(node["fqn"]))
    return chosen


def _tables_below(manifest: Mapping[str, Any], models: Set[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(models)
    while waiting:
        for parent in manifest["nodes"][waiting.pop()]["depends_on"]["nodes"]:
            node = manifest["nodes"].get(parent)
            if node is not None and parent not in found and node["config"]["schema"] != MARTS:
                found.add(parent)
                waiting.append(parent)
    return {unique_id for unique_id in found if manifest["nodes"][unique_id]["config"]["materialized"] != "view"}


def check_key(manifest: Mapping[str, Any], translator: Translator, unique_id: str) -> dg.AssetCheckKey | None:
    """The check that stands for a test, or None for a test of no one model."""
    attached = manifest["nodes"][unique_id].get("attached_node")
    if attached is None or attached not in manifest["nodes"]:
        return None
    return dg.AssetCheckKey(translator.get_asset_key(manifest["nodes"][attached]), manifest["nodes"][unique_id]["name"])


def newest_first(table: str, node: Mapping[str, Any]) -> str:
    """The query behind a mart's preview: the newest rows by the column that the model's meta names as ``newest_first``."""
    column = node["config"].get("meta", {}).get("newest_first")
    names = list(node["columns"])
    order = ([f"{column} DESC"] if column else []) + (names[:2] or ["1", "2"])  # a mart's grain comes first among its columns
    return f"SELECT {', '.join(readable(names)) or '*'} FROM {table} ORDER BY {', '.join(order)}"


def readable(names: Sequence[str]) -> list[str]:
    """Those of a mart's columns that fit a dialog and that people read: no keys of our own, no JSON, at most ten."""
    return [name for name in names if not name.endswith("_json") and (not name.endswith("_id") or name in NAMED_IDS)][
        :MOST_COLUMNS
    ]


def _referred(ref: str) -> str:
    return ref.removeprefix("ref('").removesuffix("')")
