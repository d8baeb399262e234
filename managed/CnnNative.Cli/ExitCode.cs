namespace CnnNative.Cli;

/// <summary>What the program tells its caller.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>Anything that went wrong.</summary>
    public const int Error = 1;

    /// <summary>A flag that does not exist, or a value that does not parse.</summary>
    public const int WrongUsage = 2;

    /// <summary>Ended by Ctrl-C: 128 and the number of the signal, as shells report it.</summary>
    public const int Interrupted = 130;

    /// <summary>Ended by a request to terminate.</summary>
    public const int Terminated = 143;
}
