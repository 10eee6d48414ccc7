using Npgsql;

namespace Messaging.Benchmarks.Reading;

/// <summary>Some pages as both sides ask for them: as requests, and as the parameters of the statements behind them.</summary>
sealed record Pages(string What, byte[][] Requests, string Sql, NpgsqlParameter[][] Parameters, string? ThenSql = null)
{
    /// <summary>Reads them by so many readers, through the service and past it.</summary>
    public async Task CompareAsync(Bench bench, int readers)
    {
        if (!bench.Wants(What))
            return;

        var clients = new List<PageReader>();
        var floors = new List<QueryFloor>();
        try
        {
            for (var i = 0; i < readers; i++)
            {
                clients.Add(new(await Load.HttpConnection.OpenAsync(bench.Service.Port, bench.Stop), Requests, i));
                floors.Add(new(Sql, Parameters, ThenSql, i));
                await floors[i].OpenAsync(bench.Database.DataSource, bench.Stop);
            }

            await clients[0].TryAsync();
            await bench.CompareAsync(What, readers, client => clients[client].ReadAsync(), client => floors[client].ReadAsync());
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
            foreach (var floor in floors)
                await floor.DisposeAsync();
        }
    }
}
