using System.Diagnostics;

namespace CnnNative;

/// <summary>Finds the place in the user's code that a call into the library came from.</summary>
internal static class CreationSite
{
    private static readonly string Library = typeof(CreationSite).Assembly.GetName().Name!;

    /// <summary>"at Type.Method in file:line", the innermost frame outside this library.</summary>
    public static string Find()
    {
        foreach (var frame in new StackTrace(1, fNeedFileInfo: true).GetFrames())
        {
            var method = DiagnosticMethodInfo.Create(frame);
            if (method is null || method.DeclaringAssemblyName.Split(',')[0] == Library) continue;
            var file = frame.GetFileName();
            return $"at {method.DeclaringTypeName}.{method.Name}" + (file is null ? "" : $" in {file}:{frame.GetFileLineNumber()}");
        }

        return "at an unknown place";
    }
}
