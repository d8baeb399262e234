using CnnNative.Cli;

return Cnn.Run(args);
