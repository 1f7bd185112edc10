#include <fstream>
#include <sstream>

#include "tests/tuning_db/test_database.h"

namespace whet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class QueryOfTheDatabase : public TestDatabase {
 protected:
  QueryOfTheDatabase() : db_(Open()) {
    const Task task = MakeTask(32);
    EXPECT_TRUE(db_->AddTask(task));
    EXPECT_TRUE(db_->AddRecord(MakeRecord(task, 1, {10})));
  }

  std::string QueryError(const std::string& sql) {
    const auto result = db_->Query(sql);
    EXPECT_FALSE(result) << sql << " was accepted";
    if (result) return "";
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidInput) << sql;
    return result.error().message;
  }

  std::unique_ptr<Database> db_;
};

TEST_F(QueryOfTheDatabase, ReturnsColumnsRowsAndWhichCellsAreNumbers) {
  const auto result =
      db_->Query("SELECT 1 AS one, 'two' AS two, NULL AS three, 0.5, x'0aff';  -- a comment")
          .value();
  EXPECT_THAT(result.columns, ElementsAre("one", "two", "three", "0.5", "x'0aff'"));
  EXPECT_THAT(result.rows, ElementsAre(ElementsAre("1", "two", std::nullopt, "0.5", "x'0aff'")));
  EXPECT_THAT(result.numeric, ElementsAre(ElementsAre(true, false, false, true, false)));
}

TEST_F(QueryOfTheDatabase, AcceptsWhatReads) {
  for (const char* sql : {"SELECT * FROM records", "WITH a AS (SELECT 1) SELECT * FROM a",
                          "EXPLAIN SELECT 1", "EXPLAIN QUERY PLAN SELECT * FROM v_best",
                          "PRAGMA user_version", "PRAGMA table_info(records)", "PRAGMA quick_check",
                          "SELECT * FROM pragma_table_info('tasks')", "VALUES (1), (2)",
                          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i "
                          "< 9) SELECT * FROM n",
                          "SELECT t.value FROM records, json_each(samples_ns) AS t"}) {
    const auto result = db_->Query(sql);
    EXPECT_TRUE(result) << sql << ": " << result.error().message;
  }
}

TEST_F(QueryOfTheDatabase, RefusesWhatWrites) {
  for (const char* sql : {"DELETE FROM records",
                          "UPDATE tasks SET describe = 'x'",
                          "INSERT INTO targets (name) VALUES ('x')",
                          "DROP TABLE records",
                          "CREATE TABLE x (a)",
                          "CREATE TEMP TABLE x (a)",
                          "ATTACH 'other.db' AS other",
                          "PRAGMA user_version = 7",
                          "PRAGMA journal_mode = DELETE",
                          "PRAGMA wal_checkpoint",
                          "PRAGMA writable_schema = 1",
                          "PRAGMA optimize",
                          "VACUUM",
                          "REINDEX",
                          "ANALYZE",
                          "BEGIN",
                          "COMMIT",
                          "SAVEPOINT x",
                          "EXPLAIN DELETE FROM records",
                          "WITH a AS (SELECT 1) DELETE FROM records",
                          "DELETE FROM records RETURNING id",
                          "SELECT load_extension('x')",
                          "VACUUM INTO 'copy.db'"}) {
    EXPECT_THAT(QueryError(sql), HasSubstr("would do more than read")) << sql;
  }
  EXPECT_EQ(db_->Query("SELECT COUNT(*) FROM records")->rows[0][0], "1");
}

TEST_F(QueryOfTheDatabase, RefusesSeveralStatements) {
  EXPECT_THAT(QueryError("SELECT 1; SELECT 2"), HasSubstr("several statements"));
  EXPECT_THAT(QueryError("SELECT 1; DELETE FROM records"), HasSubstr("several statements"));
  EXPECT_THAT(QueryError(""), HasSubstr("empty"));
  EXPECT_THAT(QueryError(" ; -- nothing"), HasSubstr("empty"));
}

TEST_F(QueryOfTheDatabase, SaysWhatIsWrongWithAQuery) {
  EXPECT_THAT(QueryError("SELECT a FROM nowhere"), HasSubstr("no such table: nowhere"));
  EXPECT_THAT(QueryError("SELEC 1"), HasSubstr("syntax error"));
}

TEST_F(QueryOfTheDatabase, DoesNotKeepTheDatabaseFromWriting) {
  ASSERT_OK(db_->Query("SELECT * FROM records"));
  ASSERT_OK(db_->AddTask(MakeTask(64)));
}

// The examples of the document are what people copy.
TEST_F(QueryOfTheDatabase, RunsEveryExampleOfTheDocument) {
  std::ifstream in(std::string(WHET_SOURCE_DIR) + "/docs/formats/database.md");
  ASSERT_TRUE(in);
  std::string line, sql;
  bool inside = false;
  int examples = 0;
  while (std::getline(in, line)) {
    if (line == "```sql") {
      inside = true;
    } else if (line == "```" && inside) {
      const auto result = db_->Query(sql);
      EXPECT_TRUE(result) << sql << result.error().message;
      inside = false;
      sql.clear();
      ++examples;
    } else if (inside) {
      sql += line + "\n";
    }
  }
  EXPECT_GE(examples, 5);
}

TEST_F(QueryOfTheDatabase, FindsEveryColumnInTheDocument) {
  std::ifstream in(std::string(WHET_SOURCE_DIR) + "/docs/formats/database.md");
  std::stringstream text;
  text << in.rdbuf();
  const auto columns =
      db_->Query(
             "SELECT m.name, p.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS p "
             "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%'")
          .value();
  EXPECT_THAT(columns.rows, testing::Not(IsEmpty()));
  for (const auto& row : columns.rows) {
    EXPECT_THAT(text.str(), HasSubstr("`" + *row[0] + "`"))
        << "the table or view is not documented";
    EXPECT_THAT(text.str(), HasSubstr("`" + *row[1] + "`"))
        << "a column of " << *row[0] << " is not documented";
  }
}

}  // namespace
}  // namespace whet
