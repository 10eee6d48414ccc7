using FluentMigrator;

namespace Messaging.FluentMigrator;

// One line per script of db/migrations, in their order. A script marked outside-transaction takes TransactionBehavior.None as its second argument.
[Migration(202611200001, "create_users")] public sealed class M202611200001() : EmbeddedScript("202611200001_create_users");
[Migration(202611200002, "create_service_keys")] public sealed class M202611200002() : EmbeddedScript("202611200002_create_service_keys");
[Migration(202611200003, "create_conversations")] public sealed class M202611200003() : EmbeddedScript("202611200003_create_conversations");
[Migration(202611200004, "create_messages")] public sealed class M202611200004() : EmbeddedScript("202611200004_create_messages");
[Migration(202611200005, "create_events")] public sealed class M202611200005() : EmbeddedScript("202611200005_create_events");
[Migration(202611200006, "create_idempotency_keys")] public sealed class M202611200006() : EmbeddedScript("202611200006_create_idempotency_keys");
[Migration(202611250001, "govern_conversations")] public sealed class M202611250001() : EmbeddedScript("202611250001_govern_conversations");
[Migration(202611250002, "create_accounts")] public sealed class M202611250002() : EmbeddedScript("202611250002_create_accounts");
[Migration(202611250003, "create_contacts")] public sealed class M202611250003() : EmbeddedScript("202611250003_create_contacts");
[Migration(202611250004, "add_last_seen")] public sealed class M202611250004() : EmbeddedScript("202611250004_add_last_seen");
[Migration(202611250005, TransactionBehavior.None, "index_starred")] public sealed class M202611250005() : EmbeddedScript("202611250005_index_starred");
[Migration(202611250006, TransactionBehavior.None, "index_archived")] public sealed class M202611250006() : EmbeddedScript("202611250006_index_archived");
[Migration(202611250007, TransactionBehavior.None, "index_open_contexts")] public sealed class M202611250007() : EmbeddedScript("202611250007_index_open_contexts");
[Migration(202611250008, "create_message_hidden")] public sealed class M202611250008() : EmbeddedScript("202611250008_create_message_hidden");
[Migration(202611250020, "add_message_content")] public sealed class M202611250020() : EmbeddedScript("202611250020_add_message_content");
[Migration(202611250021, "edit_and_delete_messages")] public sealed class M202611250021() : EmbeddedScript("202611250021_edit_and_delete_messages");
[Migration(202611250030, "create_attachments")] public sealed class M202611250030() : EmbeddedScript("202611250030_create_attachments");
[Migration(202611250040, "create_reactions")] public sealed class M202611250040() : EmbeddedScript("202611250040_create_reactions");
[Migration(202611250041, "create_delivered_marks")] public sealed class M202611250041() : EmbeddedScript("202611250041_create_delivered_marks");
[Migration(202611250050, "index_message_words")] public sealed class M202611250050() : EmbeddedScript("202611250050_index_message_words");
[Migration(202611250051, "index_replies")] public sealed class M202611250051() : EmbeddedScript("202611250051_index_replies");
[Migration(202611250052, "create_pins")] public sealed class M202611250052() : EmbeddedScript("202611250052_create_pins");
[Migration(202611250053, "create_reports")] public sealed class M202611250053() : EmbeddedScript("202611250053_create_reports");
[Migration(202611280201, "create_revocations")] public sealed class M202611280201() : EmbeddedScript("202611280201_create_revocations");
[Migration(202611280401, "keep_pointers_from_the_other")] public sealed class M202611280401() : EmbeddedScript("202611280401_keep_pointers_from_the_other");
[Migration(202611280402, "leave_alone_who_left")] public sealed class M202611280402() : EmbeddedScript("202611280402_leave_alone_who_left");
[Migration(202611280403, "create_declines")] public sealed class M202611280403() : EmbeddedScript("202611280403_create_declines");
[Migration(202611280501, TransactionBehavior.None, "bound_stored_numbers")] public sealed class M202611280501() : EmbeddedScript("202611280501_bound_stored_numbers");
[Migration(202611280601, "create_upload_days")] public sealed class M202611280601() : EmbeddedScript("202611280601_create_upload_days");
[Migration(202611280602, TransactionBehavior.None, "index_unnamed_attachments")] public sealed class M202611280602() : EmbeddedScript("202611280602_index_unnamed_attachments");
[Migration(202611281601, "remember_questions_taken_back")] public sealed class M202611281601() : EmbeddedScript("202611281601_remember_questions_taken_back");
[Migration(202611281801, TransactionBehavior.None, "index_stays_out")] public sealed class M202611281801() : EmbeddedScript("202611281801_index_stays_out");
[Migration(202611290101, "let_events_refer")] public sealed class M202611290101() : EmbeddedScript("202611290101_let_events_refer");
[Migration(202611290801, "remember_departures")] public sealed class M202611290801() : EmbeddedScript("202611290801_remember_departures");
