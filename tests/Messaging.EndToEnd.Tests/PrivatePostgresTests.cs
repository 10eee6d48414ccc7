using System.Diagnostics;
using System.Globalization;
using Messaging.Postgres;
using Messaging.Testing;
using Npgsql;

namespace Messaging.EndToEnd.Tests;

public sealed class PrivatePostgresTests
{
    readonly List<PrivatePostgres> started = [];

    TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public async Task StopAndRemoveAsync()
    {
        foreach (var server in started)
            await server.DisposeAsync();
        started.Clear();
        folder.Dispose();
    }

    [Test]
    public async Task Role_may_create_databases_and_is_no_superuser()
    {
        await using var server = await StartAsync(ThrowAway);

        await ExecuteAsync(server.ConnectionString, "CREATE DATABASE another");

        Assert.That(await ScalarAsync(server.ConnectionString, "SHOW is_superuser"), Is.EqualTo("off"));
    }

    [Test]
    public async Task Server_listens_on_this_machine_only()
    {
        await using var server = await StartAsync(ThrowAway);

        Assert.That(await ScalarAsync(server.ConnectionString, "SHOW listen_addresses"), Is.EqualTo("127.0.0.1"));
        Assert.That(await ScalarAsync(server.AdminConnectionString, "SHOW unix_socket_directories"), Is.Empty);
    }

    [Test]
    public async Task Wrong_password_is_refused()
    {
        await using var server = await StartAsync(ThrowAway);
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "guessed" };

        Assert.That(
            () => ScalarAsync(wrong.ConnectionString, "SELECT 1"),
            Throws.InstanceOf<PostgresException>().With.Property("SqlState").EqualTo(PostgresErrorCodes.InvalidPassword));
    }

    [TestCase("fsync")]
    [TestCase("synchronous_commit")]
    [TestCase("full_page_writes")]
    public async Task Only_a_durable_server_keeps_what_it_acknowledged(string setting)
    {
        await using var fast = await StartAsync(ThrowAway);
        await using var durable = await StartAsync(ThrowAway with { Durable = true });

        Assert.That(await ScalarAsync(fast.ConnectionString, $"SHOW {setting}"), Is.EqualTo("off"));
        Assert.That(await ScalarAsync(durable.ConnectionString, $"SHOW {setting}"), Is.EqualTo("on"));
    }

    [Test]
    public async Task Throw_away_server_leaves_neither_process_nor_folder()
    {
        ProcessIdentity postmaster;
        await using (var server = await StartAsync(ThrowAway))
            postmaster = Postmaster(server.DataFolder);

        Assert.That(postmaster.IsAlive, Is.False);
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.Empty);
    }

    [Test]
    public async Task Kept_server_comes_back_with_its_port_password_and_data()
    {
        string before;
        await using (var server = await StartAsync(Kept))
        {
            before = server.ConnectionString;
            await ExecuteAsync(before, "CREATE TABLE kept (id int)");
        }

        await using var again = await StartAsync(Kept);

        Assert.That(again.ConnectionString, Is.EqualTo(before));
        Assert.That(await ScalarAsync(again.ConnectionString, "SELECT count(*) FROM kept"), Is.Zero);
    }

    [Test]
    public async Task Password_is_for_its_owner_only()
    {
        await using var server = await StartAsync(Kept);

        Assert.That(
            File.GetUnixFileMode(Path.Combine(server.DataFolder, "password")),
            Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public async Task Two_servers_run_side_by_side()
    {
        await using var one = await StartAsync(Kept with { DataFolder = folder.In("one") });
        await using var two = await StartAsync(Kept with { DataFolder = folder.In("two") });

        Assert.That(one.Port, Is.Not.EqualTo(two.Port));
        Assert.That(await ScalarAsync(one.ConnectionString, "SELECT 1"), Is.EqualTo(1));
        Assert.That(await ScalarAsync(two.ConnectionString, "SELECT 1"), Is.EqualTo(1));
    }

    [Test]
    public async Task Port_that_was_taken_meanwhile_is_given_up()
    {
        int before;
        await using (var server = await StartAsync(Kept))
            before = server.Port;
        using var squatter = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, before);
        squatter.Start();

        await using var again = await StartAsync(Kept);

        Assert.That(again.Port, Is.Not.EqualTo(before));
        Assert.That(await ScalarAsync(again.ConnectionString, "SELECT 1"), Is.EqualTo(1));
    }

    [Test]
    public async Task Server_of_an_owner_that_did_not_stop_it_is_taken_over()
    {
        var abandoned = await StartAsync(Kept);
        var postmaster = Postmaster(abandoned.DataFolder);

        await using (var server = await StartAsync(Kept))
            Assert.That(Postmaster(server.DataFolder), Is.EqualTo(postmaster));

        Assert.That(postmaster.IsAlive, Is.False);
    }

    [Test]
    public async Task Running_server_with_other_settings_is_started_anew()
    {
        await StartAsync(Kept);

        await using var server = await StartAsync(Kept with { Durable = true });

        Assert.That(await ScalarAsync(server.ConnectionString, "SHOW fsync"), Is.EqualTo("on"));
    }

    [Test, Category("Fault")]
    public async Task Killed_durable_server_starts_again_with_what_it_acknowledged()
    {
        var durable = Kept with { Durable = true };
        var killed = await StartAsync(durable);
        await ExecuteAsync(killed.ConnectionString, "CREATE TABLE kept AS SELECT 42 AS id");
        await ChildProcess.KillAsync(Postmaster(killed.DataFolder));

        await using var server = await StartAsync(durable);

        Assert.That(await ScalarAsync(server.ConnectionString, "SELECT id FROM kept"), Is.EqualTo(42));
    }

    [Test]
    public async Task Pid_file_that_names_a_strangers_process_does_not_keep_it_from_starting()
    {
        await using (await StartAsync(Kept))
        {
        }

        using var stranger = StrangerOfTheSameUser(folder.In("kept"));
        var lines = (string[])[$"{stranger.Id}", folder.In("kept/cluster"), "1", "1", "", "127.0.0.1", "", "ready"];
        await File.WriteAllLinesAsync(folder.In("kept/cluster/postmaster.pid"), lines);

        await using var server = await StartAsync(Kept);

        Assert.That(await ScalarAsync(server.ConnectionString, "SELECT 1"), Is.EqualTo(1));
        Assert.That(stranger.HasExited, Is.False);
    }

    [Test]
    public async Task Cluster_that_was_half_made_is_made_again()
    {
        Directory.CreateDirectory(folder.In("kept/cluster.new/base"));

        await using var server = await StartAsync(Kept);

        Assert.That(await ScalarAsync(server.ConnectionString, "SELECT 1"), Is.EqualTo(1));
    }

    [Test]
    public async Task Folder_that_only_root_may_enter_serves_too()
    {
        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        await using var server = await StartAsync(Kept);

        Assert.That(await ScalarAsync(server.ConnectionString, "SELECT 1"), Is.EqualTo(1));
    }

    [Test, Category("Fault")]
    public async Task Leftover_of_a_killed_owner_is_stopped_and_removed()
    {
        using var owner = await OwnerAsync();
        var leftover = Directory.GetDirectories(folder.Path).Single();
        var postmaster = Postmaster(leftover);
        await owner.KillAsync();

        await using var server = await StartAsync(ThrowAway);

        Assert.That(postmaster.IsAlive, Is.False);
        Assert.That(Directory.GetDirectories(folder.Path), Is.EqualTo((string[])[server.DataFolder]));
    }

    [Test]
    public async Task Server_of_a_living_owner_is_left_alone()
    {
        using var owner = await OwnerAsync();
        var theirs = Postmaster(Directory.GetDirectories(folder.Path).Single());

        await using (await StartAsync(ThrowAway))
            Assert.That(theirs.IsAlive, Is.True);

        Assert.That(await owner.TerminateAsync(), Is.Not.Zero);
        Assert.That(theirs.IsAlive, Is.False);
    }

    [Test]
    public async Task Command_beside_a_server_gets_its_address_and_gives_its_exit_code()
    {
        using var child = Launch("sh", "-c", "echo \"$MESSAGING_TEST_DATABASE\"; exit 7");

        Assert.That(await child.ExitAsync(), Is.EqualTo(7), child.Errors);
        Assert.That(child.Output, Does.StartWith("Host=127.0.0.1;Port="));
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.Empty);
    }

    [Test]
    public void Missing_programs_are_named_with_how_to_install_them()
    {
        // Where a Docker engine runs it would serve instead.
        Environment.SetEnvironmentVariable("DOCKER_HOST", "tcp://127.0.0.1:9");

        Assert.That(
            () => StartAsync(ThrowAway with { BinaryFolders = [folder.Path] }),
            Throws.InstanceOf<PrivatePostgresException>().With.Message.Contains("apt-get install postgresql"));
    }

    PrivatePostgresOptions ThrowAway => PrivatePostgresOptions.ThrowAway with { ThrowAwayParent = folder.Path };

    PrivatePostgresOptions Kept => PrivatePostgresOptions.Persistent(folder.In("kept")) with { Durable = false };

    async Task<PrivatePostgres> StartAsync(PrivatePostgresOptions options)
    {
        var server = await PrivatePostgres.StartAsync(options, CancellationToken.None);
        started.Add(server);
        return server;
    }

    ChildProcess Launch(params string[] command) =>
        ChildProcess.Start("dotnet", [Repository.Launcher, "with-postgres", "--", .. command], ("TMPDIR", folder.Path));

    async Task<ChildProcess> OwnerAsync()
    {
        // The command ends with its owner, also when that is killed.
        var owner = Launch("sh", "-c", "echo up; while kill -0 $PPID; do sleep 0.1; done");
        await Eventually.HoldsAsync(() => owner.Output == "up" || owner.HasExited, "the owner has its server");
        return owner;
    }

    static ProcessIdentity Postmaster(string dataFolder)
    {
        var pid = File.ReadLines(Path.Combine(dataFolder, "cluster", "postmaster.pid")).First();
        return ProcessIdentity.Of(int.Parse(pid, CultureInfo.InvariantCulture))!.Value;
    }

    // PostgreSQL minds a living process in its pid file only if it belongs to the user that it runs as itself.
    static ChildProcess StrangerOfTheSameUser(string dataFolder)
    {
        if (!Environment.IsPrivilegedProcess)
            return ChildProcess.Start("sleep", ["300"]);

        using var stat = Process.Start(
            new ProcessStartInfo("stat", ["-c", "%u", dataFolder]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        return ChildProcess.Start("setpriv", ["--reuid", stat.StandardOutput.ReadToEnd().Trim(), "--clear-groups", "sleep", "300"]);
    }

    static async Task ExecuteAsync(string connectionString, string sql) => await ScalarAsync(connectionString, sql);

    static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
