#!/usr/bin/env bash
# What surprises: a percent sign that a cell's format holds as quoted text multiplies the number by 100: 0.5 in the format 0.0"%p" is printed as
#   "50.0%p", and 3.5 in 0.0"%" as "350.0%".
# Seen with: poi-ooxml 5.5.1 (Maven) on a workbook written by itself, Java 17 and Maven 3.8.
# Why it matters: sheets of rates hold percents as plain numbers (3.5) and points of preference (0.5%p), and show the unit by such a format. A
#   customer reads 50 points of preference for half a point.
# Expected: "0.5%p" and "3.5%": quoted text is shown as it is, and only a percent sign outside quotes multiplies (ECMA-376 part 1, 18.8.31).
# Reason: the quotes are taken out of the format, which then goes to java.text.DecimalFormat. After a backslash the sign stays text.
# Output:
#   poi 5.5.1
#   0.5    0.0"%p"      50.0%p
#   3.5    0.0"%"       350.0%
#   3.5    0.0\%        3.5%
#   3.5    0.0"퍼센트"     3.5퍼센트
#   0.035  0.0%         3.5%
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId>
  <artifactId>poi</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.poi</groupId>
      <artifactId>poi-ooxml</artifactId>
      <version>5.5.1</version>
    </dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode --file "$folder/pom.xml" \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory="$folder/lib"

cat >"$folder/Percents.java" <<'JAVA'
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import org.apache.poi.Version;
import org.apache.poi.ss.usermodel.Cell;
import org.apache.poi.ss.usermodel.CellStyle;
import org.apache.poi.ss.usermodel.DataFormatter;
import org.apache.poi.ss.usermodel.Workbook;
import org.apache.poi.xssf.usermodel.XSSFWorkbook;

public class Percents {
  /** A workbook's file with one cell. */
  static byte[] file(double value, String format) throws Exception {
    try (Workbook workbook = new XSSFWorkbook(); ByteArrayOutputStream bytes = new ByteArrayOutputStream()) {
      CellStyle style = workbook.createCellStyle();
      style.setDataFormat(workbook.createDataFormat().getFormat(format));
      Cell cell = workbook.createSheet().createRow(0).createCell(0);
      cell.setCellValue(value);
      cell.setCellStyle(style);
      workbook.write(bytes);
      return bytes.toByteArray();
    }
  }

  public static void main(String[] arguments) throws Exception {
    System.out.println("poi " + Version.getVersion());
    Object[][] recorded = {
      {0.5, "0.0\"%p\"", "50.0%p"},
      {3.5, "0.0\"%\"", "350.0%"},
      {3.5, "0.0\\%", "3.5%"},
      {3.5, "0.0\"퍼센트\"", "3.5퍼센트"},
      {0.035, "0.0%", "3.5%"},
    };
    for (Object[] row : recorded) {
      double value = (Double) row[0];
      String format = (String) row[1];
      try (Workbook workbook = new XSSFWorkbook(new ByteArrayInputStream(file(value, format)))) {
        Cell cell = workbook.getSheetAt(0).getRow(0).getCell(0);
        String read = new DataFormatter().formatCellValue(cell);
        System.out.printf("%-6s %-12s %s%n", value, format, read);
        if (!read.equals(row[2])) {
          System.out.println("changed: " + value + " in " + format + " is read as " + read);
          System.exit(1);
        }
      }
    }
    System.out.println("as recorded");
  }
}
JAVA
java -Dlog4j2.StatusLogger.level=OFF -cp "$folder/lib/*" "$folder/Percents.java"
