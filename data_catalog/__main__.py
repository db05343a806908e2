"""`python -m data_catalog`: bring market data into a Parquet catalog, check it and list it."""

import importlib

import click

from command_line import run

COMMANDS = {
    "synth": ("data_catalog.commands.synth", "Generate a seeded synthetic market."),
    "download": ("data_catalog.commands.download", "Download from Binance's public archive and import."),
    "import": ("data_catalog.commands.import_files", "Import recorded, archived or kline files."),
    "record": ("data_catalog.commands.record", "Record public streams of Binance, day after day, without keys."),
    "check": ("data_catalog.commands.check", "Check the data for gaps, disorder and nonsense."),
    "calibrate": ("data_catalog.commands.calibrate", "Estimate volatility, flow and costs for a maker's setup."),
    "screen": ("data_catalog.commands.screen", "Find pairs whose prices keep together, for a pairs setup."),
    "universe": ("data_catalog.commands.universe", "Name the most traded pairs, for a portfolio's setup."),
    "list": ("data_catalog.commands.list_contents", "List what the catalog holds."),
}


class LazyGroup(click.Group):
    """A click group that imports a command's module only when that command is used, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, or None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command list from the table, importing nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup)
def data_catalog() -> None:
    """Bring market data into a Parquet catalog, check it and list it."""


if __name__ == "__main__":
    run(data_catalog, "python -m data_catalog")
