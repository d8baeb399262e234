using Spectre.Console;

namespace CnnNative.Cli.Output;

/// <summary>
/// What people read. It goes to standard output; with --json, where standard output belongs to the machine, to standard
/// error if that is a terminal, and nowhere if not. Colours and moving pictures only on a terminal.
/// </summary>
internal sealed class Human
{
    /// <summary>Width where there is no terminal to ask.</summary>
    private const int PlainWidth = 120;

    private Human(TextWriter writer, bool isTerminal)
    {
        Console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!isTerminal) Console.Profile.Width = PlainWidth;
        IsLive = isTerminal && Console.Profile.Capabilities.Ansi;
    }

    /// <summary>Draws tables and bars.</summary>
    public IAnsiConsole Console { get; }

    /// <summary>Whether lines can be drawn over.</summary>
    public bool IsLive { get; }

    /// <summary>Opens the output for people.</summary>
    /// <param name="json">Whether standard output belongs to the machine.</param>
    public static Human Open(bool json) => (json, System.Console.IsOutputRedirected, System.Console.IsErrorRedirected) switch
    {
        (false, var redirected, _) => new Human(System.Console.Out, !redirected),
        (true, _, false) => new Human(System.Console.Error, isTerminal: true),
        (true, _, true) => new Human(TextWriter.Null, isTerminal: false),
    };

    /// <summary>Writes a line as it is: never broken, so that a path in it can be copied. Not while a bar is drawn.</summary>
    /// <param name="text">The line.</param>
    public void Line(string text = "") => Console.Profile.Out.Writer.WriteLine(text);

    /// <summary>An empty table in the style of the program.</summary>
    /// <param name="columns">Titles; those that begin with a blank are of numbers and stand to the right.</param>
    public static Table Table(params ReadOnlySpan<string> columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        table.BorderColor(Color.Grey);
        foreach (var title in columns)
        {
            var column = new TableColumn(Markup.Escape(title.Trim())) { NoWrap = true };
            table.AddColumn(title.StartsWith(' ') ? column.RightAligned() : column);
        }

        return table;
    }
}
